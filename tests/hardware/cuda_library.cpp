#include "hardware/cuda_library.hpp"

#include <dlfcn.h>
#include <stdexcept>

namespace fencebridge::test {

namespace {

constexpr const char* library_name = "libcuda.so.1";

/// Fills in functions, and keeps the name of the first that is not there.
struct Finder {
    void* library;
    const char* missing = nullptr;

    template<typename Function>
    void find(Function& function, const char* function_name) {
        function = reinterpret_cast<Function>(::dlsym(library, function_name));
        if (function == nullptr && missing == nullptr) {
            missing = function_name;
        }
    }
};

} // namespace

const CudaLibrary& CudaLibrary::get() {
    static const auto* const instance = new CudaLibrary;
    return *instance;
}

CudaLibrary::CudaLibrary() {
    void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        // The loader's own words tell a library that is not there from one that cannot be loaded.
        const char* const error = ::dlerror(); // NOLINT(concurrency-mt-unsafe)
        problem_ = std::string("no CUDA driver: ") + (error != nullptr ? error : library_name);
        return;
    }
    Finder all{.library = library};
    all.find(cuInit, "cuInit");
    all.find(cuGetErrorString, "cuGetErrorString");
    all.find(cuDeviceGetCount, "cuDeviceGetCount");
    all.find(cuDeviceGet, "cuDeviceGet");
    all.find(cuDeviceGetUuid, "cuDeviceGetUuid");
    all.find(cuDeviceGetAttribute, "cuDeviceGetAttribute");
    all.find(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
    all.find(cuDevicePrimaryCtxRelease_v2, "cuDevicePrimaryCtxRelease_v2");
    all.find(cuCtxSetCurrent, "cuCtxSetCurrent");
    all.find(cuCtxSynchronize, "cuCtxSynchronize");
    all.find(cuMemGetAllocationGranularity, "cuMemGetAllocationGranularity");
    all.find(cuMemCreate, "cuMemCreate");
    all.find(cuMemRelease, "cuMemRelease");
    all.find(cuMemExportToShareableHandle, "cuMemExportToShareableHandle");
    all.find(cuMemAddressReserve, "cuMemAddressReserve");
    all.find(cuMemAddressFree, "cuMemAddressFree");
    all.find(cuMemMap, "cuMemMap");
    all.find(cuMemUnmap, "cuMemUnmap");
    all.find(cuMemSetAccess, "cuMemSetAccess");
    all.find(cuMemGetHandleForAddressRange, "cuMemGetHandleForAddressRange");
    all.find(cuMemsetD32_v2, "cuMemsetD32_v2");
    all.find(cuMemcpyDtoH_v2, "cuMemcpyDtoH_v2");
    if (all.missing != nullptr) {
        problem_ = std::string(library_name) + " is too old: it has no " + all.missing;
        return;
    }
    if (const cuda::Result result = cuInit(0); result != 0) {
        problem_ = "CUDA cannot be used on this machine: cuInit: " + in_words(result);
    }
}

std::string CudaLibrary::in_words(cuda::Result result) const {
    const char* text = nullptr;
    if (cuGetErrorString(result, &text) != 0 || text == nullptr) {
        text = "unknown error";
    }
    return std::string(text) + " (" + std::to_string(result) + ")";
}

void CudaLibrary::check(cuda::Result result, const char* call) const {
    if (result != 0) {
        throw std::runtime_error(std::string(call) + ": " + in_words(result));
    }
}

} // namespace fencebridge::test
