// NVIDIA's CUDA driver API, as much of it as the tests need. It is found at run time, so that
// neither the build nor a machine without it needs anything of CUDA.
#pragma once

#include <cstddef>
#include <string>

namespace fencebridge::test {

/// The types of CUDA's binary interface that the functions below take. A released layout never
/// changes: a new one gets a function with a new suffix.
namespace cuda {

using Result = int; ///< 0: success
using Device = int;
using Context = void*;
using Address = unsigned long long;        ///< in the GPU's address space
using PhysicalMemory = unsigned long long; ///< CUmemGenericAllocationHandle

struct Uuid {
    unsigned char bytes[16];
};

struct Location {
    int type;
    int id;
};
constexpr int location_device = 1;

/// CUmemAllocationProp.
struct AllocationProperties {
    int type;
    int requested_handle_types;
    Location location;
    void* windows_only;
    unsigned char compression_type;
    unsigned char gpu_direct_rdma_capable;
    unsigned short usage;
    unsigned char reserved[4];
};
static_assert(sizeof(AllocationProperties) == 32 && offsetof(AllocationProperties, location) == 8 &&
              offsetof(AllocationProperties, gpu_direct_rdma_capable) == 25);
constexpr int allocation_pinned = 1;
constexpr int handle_posix_descriptor = 1;

/// CUmemAccessDesc.
struct AccessDescription {
    Location location;
    int flags;
};
static_assert(sizeof(AccessDescription) == 12);
constexpr int access_read_write = 3;

constexpr int granularity_recommended = 1;
constexpr int range_handle_dma_buf = 1;

// Device attributes.
constexpr int has_virtual_memory = 102;
constexpr int has_posix_descriptors = 103;
constexpr int has_gpu_direct_rdma_of_virtual_memory = 110;
constexpr int has_dma_buf = 124;

} // namespace cuda

/// libcuda.so.1 in this process. Any thread.
class CudaLibrary {
public:
    /// Loaded and initialised on the first call, and never unloaded: it has threads of its own.
    static const CudaLibrary& get();

    /// Empty where it can be used; else what is missing.
    const std::string& problem() const { return problem_; }

    /// Throws std::runtime_error with CUDA's own words where `result` is no success.
    void check(cuda::Result result, const char* call) const;

    // By CUDA's names. Those with _v2 are what today's headers make of the name without it.
    cuda::Result (*cuInit)(unsigned flags) = nullptr;
    cuda::Result (*cuGetErrorString)(cuda::Result, const char** text) = nullptr;
    cuda::Result (*cuDeviceGetCount)(int* count) = nullptr;
    cuda::Result (*cuDeviceGet)(cuda::Device*, int index) = nullptr;
    cuda::Result (*cuDeviceGetUuid)(cuda::Uuid*, cuda::Device) = nullptr;
    cuda::Result (*cuDeviceGetAttribute)(int* value, int attribute, cuda::Device) = nullptr;
    cuda::Result (*cuDevicePrimaryCtxRetain)(cuda::Context*, cuda::Device) = nullptr;
    cuda::Result (*cuDevicePrimaryCtxRelease_v2)(cuda::Device) = nullptr;
    cuda::Result (*cuCtxSetCurrent)(cuda::Context) = nullptr;
    cuda::Result (*cuCtxSynchronize)() = nullptr;
    cuda::Result (*cuMemGetAllocationGranularity)(size_t* granularity,
                                                  const cuda::AllocationProperties*,
                                                  int option) = nullptr;
    cuda::Result (*cuMemCreate)(cuda::PhysicalMemory*, size_t size,
                                const cuda::AllocationProperties*,
                                unsigned long long flags) = nullptr;
    cuda::Result (*cuMemRelease)(cuda::PhysicalMemory) = nullptr;
    cuda::Result (*cuMemExportToShareableHandle)(void* handle, cuda::PhysicalMemory,
                                                 int handle_type,
                                                 unsigned long long flags) = nullptr;
    cuda::Result (*cuMemAddressReserve)(cuda::Address*, size_t size, size_t alignment,
                                        cuda::Address wish, unsigned long long flags) = nullptr;
    cuda::Result (*cuMemAddressFree)(cuda::Address, size_t size) = nullptr;
    cuda::Result (*cuMemMap)(cuda::Address, size_t size, size_t offset, cuda::PhysicalMemory,
                             unsigned long long flags) = nullptr;
    cuda::Result (*cuMemUnmap)(cuda::Address, size_t size) = nullptr;
    cuda::Result (*cuMemSetAccess)(cuda::Address, size_t size, const cuda::AccessDescription*,
                                   size_t count) = nullptr;
    cuda::Result (*cuMemGetHandleForAddressRange)(void* handle, cuda::Address, size_t size,
                                                  int handle_type,
                                                  unsigned long long flags) = nullptr;
    cuda::Result (*cuMemsetD32_v2)(cuda::Address, unsigned value, size_t words) = nullptr;
    cuda::Result (*cuMemcpyDtoH_v2)(void* target, cuda::Address source, size_t size) = nullptr;

private:
    CudaLibrary();
    std::string in_words(cuda::Result result) const;
    std::string problem_;
};

} // namespace fencebridge::test
