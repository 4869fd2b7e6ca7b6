#include "fence/own_timeline.hpp"

namespace fencebridge {

OwnTimeline::~OwnTimeline() {
    if (semaphore_ != VK_NULL_HANDLE) {
        calls_.next->DestroySemaphore(calls_.device, semaphore_, nullptr);
    }
}

bool OwnTimeline::make() {
    if (semaphore_ != VK_NULL_HANDLE) {
        return true;
    }
    const VkSemaphoreTypeCreateInfo type{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = &type,
    };
    VkSemaphore semaphore = VK_NULL_HANDLE;
    if (calls_.next->CreateSemaphore(calls_.device, &info, nullptr, &semaphore) != VK_SUCCESS) {
        return false;
    }
    semaphore_ = semaphore;
    return true;
}

} // namespace fencebridge
