// The command buffers of a batch, of either generation.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>

namespace fencebridge {

inline uint32_t command_buffer_count(const VkSubmitInfo& batch) {
    return batch.commandBufferCount;
}
inline uint32_t command_buffer_count(const VkSubmitInfo2& batch) {
    return batch.commandBufferInfoCount;
}
inline VkCommandBuffer command_buffer(const VkSubmitInfo& batch, uint32_t index) {
    return batch.pCommandBuffers[index];
}
inline VkCommandBuffer command_buffer(const VkSubmitInfo2& batch, uint32_t index) {
    return batch.pCommandBufferInfos[index].commandBuffer;
}

} // namespace fencebridge
