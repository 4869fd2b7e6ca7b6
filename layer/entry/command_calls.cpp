// Command buffers: what they record of ownership transfers, and when that is forgotten.
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

namespace {

constexpr const char* lost_barrier = "a recorded ownership transfer is lost";

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
AllocateCommandBuffers(VkDevice device, const VkCommandBufferAllocateInfo* pAllocateInfo,
                       VkCommandBuffer* pCommandBuffers) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const VkResult result =
            state.device.next.AllocateCommandBuffers(device, pAllocateInfo, pCommandBuffers);
        if (result == VK_SUCCESS && state.bridge != nullptr) {
            const std::span allocated(pCommandBuffers, pAllocateInfo->commandBufferCount);
            try {
                state.bridge->recordings.allocated(pAllocateInfo->commandPool, allocated);
            } catch (const std::bad_alloc&) {
                state.device.next.FreeCommandBuffers(device, pAllocateInfo->commandPool,
                                                     pAllocateInfo->commandBufferCount,
                                                     pCommandBuffers);
                std::fill(allocated.begin(), allocated.end(), VK_NULL_HANDLE);
                throw;
            }
        }
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL FreeCommandBuffers(VkDevice device, VkCommandPool commandPool,
                                              uint32_t commandBufferCount,
                                              const VkCommandBuffer* pCommandBuffers) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->recordings.freed(commandPool, {pCommandBuffers, commandBufferCount});
    }
    state.device.next.FreeCommandBuffers(device, commandPool, commandBufferCount, pCommandBuffers);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetCommandPool(VkDevice device, VkCommandPool commandPool,
                                                VkCommandPoolResetFlags flags) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->recordings.pool_reset(commandPool);
    }
    return state.device.next.ResetCommandPool(device, commandPool, flags);
}

VKAPI_ATTR void VKAPI_CALL DestroyCommandPool(VkDevice device, VkCommandPool commandPool,
                                              const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->recordings.pool_destroyed(commandPool);
    }
    state.device.next.DestroyCommandPool(device, commandPool, pAllocator);
}

VKAPI_ATTR VkResult VKAPI_CALL BeginCommandBuffer(VkCommandBuffer commandBuffer,
                                                  const VkCommandBufferBeginInfo* pBeginInfo) {
    DeviceState& state = device_of(commandBuffer);
    if (state.bridge != nullptr) {
        state.bridge->recordings.clear(commandBuffer);
    }
    return state.device.next.BeginCommandBuffer(commandBuffer, pBeginInfo);
}

VKAPI_ATTR VkResult VKAPI_CALL ResetCommandBuffer(VkCommandBuffer commandBuffer,
                                                  VkCommandBufferResetFlags flags) {
    DeviceState& state = device_of(commandBuffer);
    if (state.bridge != nullptr) {
        state.bridge->recordings.clear(commandBuffer);
    }
    return state.device.next.ResetCommandBuffer(commandBuffer, flags);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier(
    VkCommandBuffer commandBuffer, VkPipelineStageFlags srcStageMask,
    VkPipelineStageFlags dstStageMask, VkDependencyFlags dependencyFlags,
    uint32_t memoryBarrierCount, const VkMemoryBarrier* pMemoryBarriers,
    uint32_t bufferMemoryBarrierCount, const VkBufferMemoryBarrier* pBufferMemoryBarriers,
    uint32_t imageMemoryBarrierCount, const VkImageMemoryBarrier* pImageMemoryBarriers) {
    DeviceState& state = device_of(commandBuffer);
    if (state.bridge != nullptr) {
        guarded_void(lost_barrier, [&] {
            state.bridge->record(commandBuffer,
                                 std::span(pImageMemoryBarriers, imageMemoryBarrierCount),
                                 std::span(pBufferMemoryBarriers, bufferMemoryBarrierCount));
        });
    }
    state.device.next.CmdPipelineBarrier(commandBuffer, srcStageMask, dstStageMask, dependencyFlags,
                                         memoryBarrierCount, pMemoryBarriers,
                                         bufferMemoryBarrierCount, pBufferMemoryBarriers,
                                         imageMemoryBarrierCount, pImageMemoryBarriers);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2(VkCommandBuffer commandBuffer,
                                               const VkDependencyInfo* pDependencyInfo) {
    DeviceState& state = device_of(commandBuffer);
    if (state.bridge != nullptr) {
        guarded_void(lost_barrier, [&] {
            state.bridge->record(commandBuffer,
                                 std::span(pDependencyInfo->pImageMemoryBarriers,
                                           pDependencyInfo->imageMemoryBarrierCount),
                                 std::span(pDependencyInfo->pBufferMemoryBarriers,
                                           pDependencyInfo->bufferMemoryBarrierCount));
        });
    }
    const auto& next = state.device.next;
    (next.CmdPipelineBarrier2 != nullptr ? next.CmdPipelineBarrier2 : next.CmdPipelineBarrier2KHR)(
        commandBuffer, pDependencyInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2KHR(VkCommandBuffer commandBuffer,
                                                  const VkDependencyInfo* pDependencyInfo) {
    CmdPipelineBarrier2(commandBuffer, pDependencyInfo);
}

} // namespace fencebridge::entry
