#include "kernel/stress_call.hpp"

namespace fencebridge::test {

namespace {

VkResult first_generation(StressWorld& world, const StressCall& call) {
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const uint64_t value = 1;
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = call.wait != VK_NULL_HANDLE ? 1U : 0U,
        .pWaitSemaphoreValues = &value,
        .signalSemaphoreValueCount = call.signal != VK_NULL_HANDLE ? 1U : 0U,
        .pSignalSemaphoreValues = &value,
    };
    std::vector<VkSubmitInfo> infos;
    for (const auto& command_buffers : call.batches) {
        infos.push_back({
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
            .commandBufferCount = static_cast<uint32_t>(command_buffers.size()),
            .pCommandBuffers = command_buffers.data(),
        });
    }
    if (call.wait != VK_NULL_HANDLE) {
        infos.front().pNext = &values;
        infos.front().waitSemaphoreCount = 1;
        infos.front().pWaitSemaphores = &call.wait;
        infos.front().pWaitDstStageMask = &stage;
    }
    if (call.signal != VK_NULL_HANDLE) {
        infos.back().pNext = &values;
        infos.back().signalSemaphoreCount = 1;
        infos.back().pSignalSemaphores = &call.signal;
    }
    return world.submit(call.queue, infos, call.fence);
}

VkResult second_generation(StressWorld& world, const StressCall& call) {
    const auto point = [](VkSemaphore semaphore) {
        return VkSemaphoreSubmitInfo{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
            .semaphore = semaphore,
            .value = 1,
            .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        };
    };
    const VkSemaphoreSubmitInfo wait = point(call.wait);
    const VkSemaphoreSubmitInfo signal = point(call.signal);
    std::vector<std::vector<VkCommandBufferSubmitInfo>> command_infos;
    std::vector<VkSubmitInfo2> infos;
    for (const auto& command_buffers : call.batches) {
        auto& list = command_infos.emplace_back();
        for (VkCommandBuffer command_buffer : command_buffers) {
            list.push_back({.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                            .commandBuffer = command_buffer});
        }
        infos.push_back({
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
            .commandBufferInfoCount = static_cast<uint32_t>(list.size()),
            .pCommandBufferInfos = list.data(),
        });
    }
    infos.front().waitSemaphoreInfoCount = call.wait != VK_NULL_HANDLE ? 1 : 0;
    infos.front().pWaitSemaphoreInfos = &wait;
    infos.back().signalSemaphoreInfoCount = call.signal != VK_NULL_HANDLE ? 1 : 0;
    infos.back().pSignalSemaphoreInfos = &signal;
    return world.submit(call.queue, infos, call.fence);
}

} // namespace

VkResult call_layer(StressWorld& world, const StressCall& call) {
    return call.is_second_generation ? second_generation(world, call)
                                     : first_generation(world, call);
}

} // namespace fencebridge::test
