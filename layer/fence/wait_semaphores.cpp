#include "fence/wait_semaphores.hpp"

#include "fence/sync_file.hpp"
#include "fence/temporary_payload.hpp"

namespace fencebridge {

namespace {

/// How many semaphores may be in flight with no completion promised. Applications that acquire and
/// release in the same submit never come near it.
constexpr size_t unpromised_limit = 32;

} // namespace

WaitSemaphores::~WaitSemaphores() {
    // vkDestroyDevice requires that all work has completed.
    for (VkSemaphore semaphore : semaphores_.all()) {
        calls_.next->DestroySemaphore(calls_.device, semaphore, nullptr);
    }
}

VkSemaphore WaitSemaphores::import(UniqueFd& sync_file) {
    retire();
    VkSemaphore semaphore = semaphores_.take();
    if (semaphore == VK_NULL_HANDLE) {
        semaphores_.make_room();
        const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
        if (calls_.next->CreateSemaphore(calls_.device, &info, nullptr, &semaphore) != VK_SUCCESS) {
            return VK_NULL_HANDLE;
        }
        semaphores_.made(semaphore);
    }
    if (import_into_semaphore(calls_, semaphore, sync_file) != VK_SUCCESS) {
        semaphores_.give_back(semaphore);
        return VK_NULL_HANDLE;
    }
    return semaphore;
}

void WaitSemaphores::submitted(VkSemaphore semaphore, uint64_t submit) {
    in_flight_.push_back({semaphore, submit});
}

void WaitSemaphores::discard(VkSemaphore semaphore) {
    semaphores_.forget(semaphore);
    calls_.next->DestroySemaphore(calls_.device, semaphore, nullptr);
}

void WaitSemaphores::completes_with(uint64_t submit, const UniqueFd& sync_file) {
    // One promise behind the last import says enough, however many submits follow it.
    const bool is_promised = !promises_.empty() && !in_flight_.empty() &&
                             promises_.back().submit >= in_flight_.back().submit;
    if (in_flight_.empty() || is_promised) {
        return;
    }
    // Without a descriptor left there is no promise; a later submit makes one.
    if (UniqueFd own = UniqueFd::duplicate(sync_file.get())) {
        promises_.push_back({std::move(own), submit});
    }
}

void WaitSemaphores::completed(uint64_t submit) {
    while (!in_flight_.empty() && in_flight_.front().submit <= submit) {
        semaphores_.give_back(in_flight_.front().semaphore);
        in_flight_.pop_front();
    }
}

bool WaitSemaphores::wants_completion() const {
    return in_flight_.size() >= unpromised_limit && promises_.empty();
}

void WaitSemaphores::retire() {
    while (!promises_.empty() && is_signalled(promises_.front().sync_file.get())) {
        completed(promises_.front().submit);
        promises_.pop_front();
    }
}

} // namespace fencebridge
