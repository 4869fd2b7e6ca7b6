#include "dispatch/probe.hpp"

#include "report/log.hpp"

#include <bit>

namespace fencebridge {

namespace {

/// The probe's Vulkan objects, freed in reverse order whatever happens.
class ProbeBuffer {
public:
    explicit ProbeBuffer(const Device& device) : device_(device) {}
    ~ProbeBuffer() {
        device_.next.DestroyBuffer(device_.handle, buffer_, nullptr);
        device_.next.FreeMemory(device_.handle, memory_, nullptr);
    }
    ProbeBuffer(const ProbeBuffer&) = delete;
    ProbeBuffer& operator=(const ProbeBuffer&) = delete;

    UniqueFd export_dma_buf() {
        const VkExternalMemoryBufferCreateInfo external{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        };
        const VkBufferCreateInfo buffer_info{
            .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
            .pNext = &external,
            .size = 4096,
            .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        };
        if (device_.next.CreateBuffer(device_.handle, &buffer_info, nullptr, &buffer_) !=
            VK_SUCCESS) {
            return {};
        }
        VkMemoryRequirements needs{};
        device_.next.GetBufferMemoryRequirements(device_.handle, buffer_, &needs);
        if (needs.memoryTypeBits == 0) {
            return {};
        }
        const VkMemoryDedicatedAllocateInfo dedicated{
            .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
            .buffer = buffer_,
        };
        const VkExportMemoryAllocateInfo exportable{
            .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
            .pNext = device_.capabilities.dma_buf_dedicated_only ? &dedicated : nullptr,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        };
        const VkMemoryAllocateInfo memory_info{
            .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
            .pNext = &exportable,
            .allocationSize = needs.size,
            .memoryTypeIndex = static_cast<uint32_t>(std::countr_zero(needs.memoryTypeBits)),
        };
        if (device_.next.AllocateMemory(device_.handle, &memory_info, nullptr, &memory_) !=
            VK_SUCCESS) {
            return {};
        }
        const VkMemoryGetFdInfoKHR fd_info{
            .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
            .memory = memory_,
            .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        };
        int fd = -1;
        if (device_.next.GetMemoryFdKHR(device_.handle, &fd_info, &fd) != VK_SUCCESS) {
            return {};
        }
        return UniqueFd(fd);
    }

private:
    const Device& device_;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
};

} // namespace

KernelSupport probe_kernel(const Device& device) {
    if (!device.capabilities.dma_buf_export || device.next.GetMemoryFdKHR == nullptr) {
        return KernelSupport::Unknown;
    }
    ProbeBuffer buffer(device);
    const UniqueFd fd = buffer.export_dma_buf();
    if (!fd) {
        return KernelSupport::Unknown;
    }
    const auto dma_buf = DmaBuf::of(fd.get());
    return dma_buf ? dma_buf->probe() : KernelSupport::Unknown;
}

} // namespace fencebridge
