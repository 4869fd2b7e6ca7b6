// Command buffers: what they record of ownership transfers, and when that is forgotten.
#include "dispatch/chain.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

namespace {

constexpr const char* lost_barrier = "a recorded ownership transfer is lost";

void record_dependencies(DeviceState& state, VkCommandBuffer command_buffer,
                         std::span<const VkDependencyInfo> dependencies) {
    if (state.bridge == nullptr) {
        return;
    }
    guarded_void(lost_barrier, [&] {
        for (const VkDependencyInfo& dependency : dependencies) {
            state.bridge->record(
                command_buffer,
                std::span(dependency.pImageMemoryBarriers, dependency.imageMemoryBarrierCount),
                std::span(dependency.pBufferMemoryBarriers, dependency.bufferMemoryBarrierCount));
#ifdef VK_KHR_device_address_commands
            if (const auto* ranges = find_in_chain<VkMemoryRangeBarriersInfoKHR>(
                    dependency.pNext, VK_STRUCTURE_TYPE_MEMORY_RANGE_BARRIERS_INFO_KHR)) {
                state.bridge->record_ranges(
                    command_buffer,
                    std::span(ranges->pMemoryRangeBarriers, ranges->memoryRangeBarrierCount));
            }
#endif
        }
    });
}

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
            record_or_destroy(
                [&] { state.bridge->recordings.allocated(pAllocateInfo->commandPool, allocated); },
                [&] {
                    state.device.next.FreeCommandBuffers(device, pAllocateInfo->commandPool,
                                                         pAllocateInfo->commandBufferCount,
                                                         pCommandBuffers);
                    std::fill(allocated.begin(), allocated.end(), VK_NULL_HANDLE);
                });
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
    record_dependencies(state, commandBuffer, {pDependencyInfo, 1});
    state.device.next.CmdPipelineBarrier2(commandBuffer, pDependencyInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2KHR(VkCommandBuffer commandBuffer,
                                                  const VkDependencyInfo* pDependencyInfo) {
    CmdPipelineBarrier2(commandBuffer, pDependencyInfo);
}

VKAPI_ATTR void VKAPI_CALL
CmdWaitEvents(VkCommandBuffer commandBuffer, uint32_t eventCount, const VkEvent* pEvents,
              VkPipelineStageFlags srcStageMask, VkPipelineStageFlags dstStageMask,
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
    state.device.next.CmdWaitEvents(commandBuffer, eventCount, pEvents, srcStageMask, dstStageMask,
                                    memoryBarrierCount, pMemoryBarriers, bufferMemoryBarrierCount,
                                    pBufferMemoryBarriers, imageMemoryBarrierCount,
                                    pImageMemoryBarriers);
}

// vkCmdSetEvent2 is given the same dependencies and is not followed: a transfer counts once.
VKAPI_ATTR void VKAPI_CALL CmdWaitEvents2(VkCommandBuffer commandBuffer, uint32_t eventCount,
                                          const VkEvent* pEvents,
                                          const VkDependencyInfo* pDependencyInfos) {
    DeviceState& state = device_of(commandBuffer);
    record_dependencies(state, commandBuffer, {pDependencyInfos, eventCount});
    state.device.next.CmdWaitEvents2(commandBuffer, eventCount, pEvents, pDependencyInfos);
}

VKAPI_ATTR void VKAPI_CALL CmdWaitEvents2KHR(VkCommandBuffer commandBuffer, uint32_t eventCount,
                                             const VkEvent* pEvents,
                                             const VkDependencyInfo* pDependencyInfos) {
    CmdWaitEvents2(commandBuffer, eventCount, pEvents, pDependencyInfos);
}

VKAPI_ATTR void VKAPI_CALL CmdExecuteCommands(VkCommandBuffer commandBuffer,
                                              uint32_t commandBufferCount,
                                              const VkCommandBuffer* pCommandBuffers) {
    DeviceState& state = device_of(commandBuffer);
    if (state.bridge != nullptr) {
        guarded_void("the hand-offs of secondary command buffers are lost", [&] {
            state.bridge->recordings.executed(commandBuffer, {pCommandBuffers, commandBufferCount});
        });
    }
    state.device.next.CmdExecuteCommands(commandBuffer, commandBufferCount, pCommandBuffers);
}

} // namespace fencebridge::entry
