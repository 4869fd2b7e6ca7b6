#include "present/relay_semaphores.hpp"

namespace fencebridge {

RelaySemaphores::~RelaySemaphores() {
    for (const auto& [image, semaphore] : semaphores_) {
        calls_.next->DestroySemaphore(calls_.device, semaphore, nullptr);
    }
}

VkSemaphore RelaySemaphores::of_image(uint32_t image) {
    const std::lock_guard guard(mutex_);
    VkSemaphore& semaphore = semaphores_[image];
    if (semaphore == VK_NULL_HANDLE) {
        const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
        if (calls_.next->CreateSemaphore(calls_.device, &info, nullptr, &semaphore) != VK_SUCCESS) {
            semaphore = VK_NULL_HANDLE;
        }
    }
    return semaphore;
}

} // namespace fencebridge
