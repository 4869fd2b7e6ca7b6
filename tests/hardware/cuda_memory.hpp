// GPU memory that CUDA allocates, for Vulkan to import and for the kernel to share: on NVIDIA's
// driver without nvidia-drm, the one way to a dma-buf of memory that Vulkan writes.
#pragma once

#include "hardware/cuda_library.hpp"
#include "support/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace fencebridge::test {

/// Empty where CUDA's first device can share memory as a dma-buf; else the reason for a skip.
std::string missing_cuda();

/// A device's primary context, current on the thread that made it; everything below is used there.
/// Constructors and functions here throw std::runtime_error where CUDA refuses.
class CudaDevice {
public:
    explicit CudaDevice(cuda::Device device);
    ~CudaDevice();
    CudaDevice(const CudaDevice&) = delete;
    CudaDevice& operator=(const CudaDevice&) = delete;

    cuda::Device handle() const { return device_; }
    bool has(int attribute) const;

private:
    const CudaLibrary& cuda_;
    cuda::Device device_;
};

/// CUDA's first device.
cuda::Device first_cuda_device();

/// The device with this UUID (Vulkan's deviceUUID, 16 bytes); -1 where CUDA has none such.
cuda::Device cuda_device_with(const uint8_t* uuid);

/// One physical allocation, mapped in the GPU's address space.
class CudaMemory {
public:
    /// At least `size` bytes.
    CudaMemory(const CudaDevice& device, size_t size);

    size_t size() const { return size_; }

    /// A new descriptor of the allocation, such as Vulkan imports as OPAQUE_FD.
    Fd opaque_fd() const;
    /// A new dma-buf descriptor of all of it.
    Fd dma_buf() const;

    /// Every word becomes `value`, before this returns.
    void fill(uint32_t value) const;
    /// The first and the last word, copied by the GPU, where they agree; else 0. Waits for no work
    /// but CUDA's.
    uint32_t content() const;

private:
    /// What has to be undone, step by step: a later step that fails undoes those before.
    struct Allocation {
        Allocation(const CudaLibrary& cuda, size_t size,
                   const cuda::AllocationProperties& properties);
        ~Allocation();
        Allocation(const Allocation&) = delete;
        Allocation& operator=(const Allocation&) = delete;
        const CudaLibrary& cuda_;
        cuda::PhysicalMemory handle = 0;
    };
    struct AddressRange {
        AddressRange(const CudaLibrary& cuda, size_t size);
        ~AddressRange();
        AddressRange(const AddressRange&) = delete;
        AddressRange& operator=(const AddressRange&) = delete;
        const CudaLibrary& cuda_;
        size_t size_;
        cuda::Address address = 0;
    };
    struct Mapping {
        Mapping(const AddressRange& range, const Allocation& allocation, cuda::Location location);
        ~Mapping();
        Mapping(const Mapping&) = delete;
        Mapping& operator=(const Mapping&) = delete;
        const AddressRange& range_;
    };

    uint32_t word(size_t index) const;

    const CudaLibrary& cuda_;
    cuda::AllocationProperties properties_;
    size_t size_;
    Allocation allocation_;
    AddressRange range_;
    Mapping mapping_;
};

} // namespace fencebridge::test
