#include "present/waited_present.hpp"

#include <vector>

namespace fencebridge {

VkResult WaitedPresent::present(VkQueue queue, const VkPresentInfoKHR& info, uint32_t image) {
    const std::vector<VkPipelineStageFlags> stages(info.waitSemaphoreCount,
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const std::lock_guard guard(mutex_);
    const VkSemaphore semaphore = relays_.of_image(image);
    const VkFence fence = fences_.take();
    if (semaphore == VK_NULL_HANDLE || fence == VK_NULL_HANDLE) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = info.waitSemaphoreCount,
        .pWaitSemaphores = info.pWaitSemaphores,
        .pWaitDstStageMask = stages.data(),
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &semaphore,
    };
    if (const VkResult result = calls_.next->QueueSubmit(queue, 1, &batch, fence);
        result != VK_SUCCESS) {
        fences_.give_back(fence);
        return result;
    }
    if (const VkResult result =
            calls_.next->WaitForFences(calls_.device, 1, &fence, VK_TRUE, UINT64_MAX);
        result != VK_SUCCESS) {
        return result;
    }
    calls_.next->ResetFences(calls_.device, 1, &fence);
    fences_.give_back(fence);

    VkPresentInfoKHR behind_ours = info;
    behind_ours.waitSemaphoreCount = 1;
    behind_ours.pWaitSemaphores = &semaphore;
    return calls_.next->QueuePresentKHR(queue, &behind_ours);
}

} // namespace fencebridge
