#include "present/waited_present.hpp"

#include <vector>

namespace fencebridge {

WaitedPresent::~WaitedPresent() {
    for (const auto& [image, semaphore] : relays_) {
        calls_.next->DestroySemaphore(calls_.device, semaphore, nullptr);
    }
}

/// Null where the driver is out of memory.
VkSemaphore WaitedPresent::relay(uint32_t image) {
    VkSemaphore& semaphore = relays_[image];
    if (semaphore == VK_NULL_HANDLE) {
        const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
        if (calls_.next->CreateSemaphore(calls_.device, &info, nullptr, &semaphore) != VK_SUCCESS) {
            semaphore = VK_NULL_HANDLE;
        }
    }
    return semaphore;
}

VkResult WaitedPresent::present(VkQueue queue, const VkPresentInfoKHR& info, uint32_t image) {
    const std::vector<VkPipelineStageFlags> stages(info.waitSemaphoreCount,
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const std::lock_guard guard(mutex_);
    const VkSemaphore semaphore = relay(image);
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
