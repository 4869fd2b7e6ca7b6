#include "hardware/opaque_buffer.hpp"

#include <vulkan/vulkan.h>

#include <stdexcept>
#include <string>

namespace fencebridge::test {

namespace {

constexpr auto opaque_type = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;

/// Which memory type stands for memory of another API nothing reports (vkGetMemoryFdPropertiesKHR
/// is not for OPAQUE_FD): the first that the driver accepts.
VkDeviceMemory import_memory(const VulkanContext& context, const CudaMemory& memory,
                             uint32_t allowed) {
    std::string refusals;
    for (uint32_t type = 0; type < 32; ++type) {
        if ((allowed >> type & 1U) == 0) {
            continue;
        }
        Fd fd = memory.opaque_fd();
        const VkImportMemoryFdInfoKHR import{
            .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
            .handleType = opaque_type,
            .fd = fd.get(),
        };
        const VkMemoryAllocateInfo info{
            .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
            .pNext = &import,
            .allocationSize = memory.size(),
            .memoryTypeIndex = type,
        };
        VkDeviceMemory imported = VK_NULL_HANDLE;
        const VkResult result = vkAllocateMemory(context.device, &info, nullptr, &imported);
        if (result == VK_SUCCESS) {
            (void)fd.release(); // the driver's now
            return imported;
        }
        refusals += " type " + std::to_string(type) + ": " + std::to_string(result);
    }
    throw std::runtime_error("Vulkan imports CUDA's memory as no memory type:" + refusals);
}

} // namespace

OpaqueBuffer::OpaqueBuffer(const VulkanContext& context, const CudaMemory& memory)
    : context_(context) {
    const VkExternalMemoryBufferCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = opaque_type,
    };
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .pNext = &external,
        .size = memory.size(),
        .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    };
    FB_VK(vkCreateBuffer(context.device, &info, nullptr, &buffer_));
    VkMemoryRequirements needs{};
    vkGetBufferMemoryRequirements(context.device, buffer_, &needs);
    try {
        if (needs.size > memory.size()) {
            throw std::runtime_error("a buffer of that size needs more memory than it has bytes");
        }
        memory_ = import_memory(context, memory, needs.memoryTypeBits);
    } catch (...) {
        vkDestroyBuffer(context.device, buffer_, nullptr);
        throw;
    }
    FB_VK(vkBindBufferMemory(context.device, buffer_, memory_, 0));
}

OpaqueBuffer::~OpaqueBuffer() {
    vkDestroyBuffer(context_.device, buffer_, nullptr);
    vkFreeMemory(context_.device, memory_, nullptr);
}

void OpaqueBuffer::record_write(const CommandBuffer& commands, uint32_t value) const {
    transfer(commands, VK_QUEUE_FAMILY_EXTERNAL, 0);
    vkCmdFillBuffer(commands.handle, buffer_, 0, VK_WHOLE_SIZE, value);
    transfer(commands, 0, VK_QUEUE_FAMILY_EXTERNAL);
}

void OpaqueBuffer::transfer(const CommandBuffer& commands, uint32_t from, uint32_t to) const {
    const bool is_release = to == VK_QUEUE_FAMILY_EXTERNAL;
    const VkBufferMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = is_release ? VkAccessFlags{VK_ACCESS_TRANSFER_WRITE_BIT} : 0,
        .dstAccessMask = is_release ? 0 : VkAccessFlags{VK_ACCESS_TRANSFER_WRITE_BIT},
        .srcQueueFamilyIndex = from,
        .dstQueueFamilyIndex = to,
        .buffer = buffer_,
        .size = VK_WHOLE_SIZE,
    };
    vkCmdPipelineBarrier(commands.handle, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 1, &barrier, 0,
                         nullptr);
}

} // namespace fencebridge::test
