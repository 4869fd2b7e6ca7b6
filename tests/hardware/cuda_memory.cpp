#include "hardware/cuda_memory.hpp"

#include <cstring>

namespace fencebridge::test {

namespace {

const CudaLibrary& library() {
    return CudaLibrary::get();
}

int attribute_of(cuda::Device device, int attribute) {
    int value = 0;
    library().check(library().cuDeviceGetAttribute(&value, attribute, device),
                    "cuDeviceGetAttribute");
    return value;
}

int device_count() {
    int count = 0;
    library().check(library().cuDeviceGetCount(&count), "cuDeviceGetCount");
    return count;
}

cuda::Device device_at(int index) {
    cuda::Device device = -1;
    library().check(library().cuDeviceGet(&device, index), "cuDeviceGet");
    return device;
}

cuda::AllocationProperties properties_for(const CudaDevice& device) {
    return {
        .type = cuda::allocation_pinned,
        .requested_handle_types = cuda::handle_posix_descriptor,
        .location = {.type = cuda::location_device, .id = device.handle()},
        .windows_only = nullptr,
        .compression_type = 0,
        // A dma-buf is for other devices to reach: where CUDA tells such memory apart, it is that.
        .gpu_direct_rdma_capable =
            device.has(cuda::has_gpu_direct_rdma_of_virtual_memory) ? uint8_t{1} : uint8_t{0},
        .usage = 0,
        .reserved = {},
    };
}

size_t rounded_up(size_t size, const cuda::AllocationProperties& properties) {
    size_t granularity = 0;
    library().check(library().cuMemGetAllocationGranularity(&granularity, &properties,
                                                            cuda::granularity_recommended),
                    "cuMemGetAllocationGranularity");
    return (size + granularity - 1) / granularity * granularity;
}

} // namespace

std::string missing_cuda() {
    if (!library().problem().empty()) {
        return library().problem();
    }
    if (device_count() == 0) {
        return "CUDA has no device";
    }
    const cuda::Device device = first_cuda_device();
    if (attribute_of(device, cuda::has_virtual_memory) == 0 ||
        attribute_of(device, cuda::has_posix_descriptors) == 0) {
        return "this CUDA device does not share memory by file descriptor";
    }
    if (attribute_of(device, cuda::has_dma_buf) == 0) {
        return "this CUDA device exports no dma-bufs (NVIDIA's open kernel modules do)";
    }
    return {};
}

cuda::Device first_cuda_device() {
    return device_at(0);
}

cuda::Device cuda_device_with(const uint8_t* uuid) {
    for (int index = 0; index < device_count(); ++index) {
        const cuda::Device device = device_at(index);
        cuda::Uuid found{};
        library().check(library().cuDeviceGetUuid(&found, device), "cuDeviceGetUuid");
        if (std::memcmp(&found, uuid, sizeof(found)) == 0) {
            return device;
        }
    }
    return -1;
}

CudaDevice::CudaDevice(cuda::Device device) : cuda_(library()), device_(device) {
    cuda::Context context = nullptr;
    cuda_.check(cuda_.cuDevicePrimaryCtxRetain(&context, device_), "cuDevicePrimaryCtxRetain");
    if (const cuda::Result result = cuda_.cuCtxSetCurrent(context); result != 0) {
        (void)cuda_.cuDevicePrimaryCtxRelease_v2(device_);
        cuda_.check(result, "cuCtxSetCurrent");
    }
}

CudaDevice::~CudaDevice() {
    (void)cuda_.cuCtxSetCurrent(nullptr);
    (void)cuda_.cuDevicePrimaryCtxRelease_v2(device_);
}

bool CudaDevice::has(int attribute) const {
    return attribute_of(device_, attribute) != 0;
}

CudaMemory::Allocation::Allocation(const CudaLibrary& cuda, size_t size,
                                   const cuda::AllocationProperties& properties)
    : cuda_(cuda) {
    cuda_.check(cuda_.cuMemCreate(&handle, size, &properties, 0), "cuMemCreate");
}

CudaMemory::Allocation::~Allocation() {
    (void)cuda_.cuMemRelease(handle);
}

CudaMemory::AddressRange::AddressRange(const CudaLibrary& cuda, size_t size)
    : cuda_(cuda), size_(size) {
    cuda_.check(cuda_.cuMemAddressReserve(&address, size, 0, 0, 0), "cuMemAddressReserve");
}

CudaMemory::AddressRange::~AddressRange() {
    (void)cuda_.cuMemAddressFree(address, size_);
}

CudaMemory::Mapping::Mapping(const AddressRange& range, const Allocation& allocation,
                             cuda::Location location)
    : range_(range) {
    const CudaLibrary& cuda = range_.cuda_;
    cuda.check(cuda.cuMemMap(range_.address, range_.size_, 0, allocation.handle, 0), "cuMemMap");
    const cuda::AccessDescription access{.location = location, .flags = cuda::access_read_write};
    const cuda::Result result = cuda.cuMemSetAccess(range_.address, range_.size_, &access, 1);
    if (result != 0) {
        (void)cuda.cuMemUnmap(range_.address, range_.size_);
        cuda.check(result, "cuMemSetAccess");
    }
}

CudaMemory::Mapping::~Mapping() {
    (void)range_.cuda_.cuMemUnmap(range_.address, range_.size_);
}

CudaMemory::CudaMemory(const CudaDevice& device, size_t size)
    : cuda_(library()), properties_(properties_for(device)), size_(rounded_up(size, properties_)),
      allocation_(cuda_, size_, properties_), range_(cuda_, size_),
      mapping_(range_, allocation_, properties_.location) {}

Fd CudaMemory::opaque_fd() const {
    int fd = -1;
    cuda_.check(cuda_.cuMemExportToShareableHandle(&fd, allocation_.handle,
                                                   cuda::handle_posix_descriptor, 0),
                "cuMemExportToShareableHandle");
    return Fd(fd);
}

Fd CudaMemory::dma_buf() const {
    int fd = -1;
    cuda_.check(cuda_.cuMemGetHandleForAddressRange(&fd, range_.address, size_,
                                                    cuda::range_handle_dma_buf, 0),
                "cuMemGetHandleForAddressRange(DMA_BUF_FD)");
    return Fd(fd);
}

void CudaMemory::fill(uint32_t value) const {
    cuda_.check(cuda_.cuMemsetD32_v2(range_.address, value, size_ / 4), "cuMemsetD32");
    cuda_.check(cuda_.cuCtxSynchronize(), "cuCtxSynchronize");
}

uint32_t CudaMemory::word(size_t index) const {
    uint32_t value = 0;
    cuda_.check(cuda_.cuMemcpyDtoH_v2(&value, range_.address + index * 4, sizeof(value)),
                "cuMemcpyDtoH");
    return value;
}

uint32_t CudaMemory::content() const {
    const uint32_t first = word(0);
    return first == word(size_ / 4 - 1) ? first : 0;
}

} // namespace fencebridge::test
