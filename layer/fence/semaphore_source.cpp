#include "fence/semaphore_source.hpp"

#include "fence/semaphore_payloads.hpp"

#include <utility>

namespace fencebridge {

SemaphoreSource::~SemaphoreSource() {
    for (VkSemaphore semaphore : semaphores_.all()) {
        calls_.next->DestroySemaphore(calls_.device, semaphore, nullptr);
    }
}

std::optional<Ticket> SemaphoreSource::begin(VkFence /*application_fence*/) {
    if (const VkSemaphore idle = semaphores_.take()) {
        return Ticket{.signal = {.semaphore = idle}};
    }
    semaphores_.make_room();
    const VkExportSemaphoreCreateInfo exportable{
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = &exportable,
    };
    VkSemaphore semaphore = VK_NULL_HANDLE;
    if (calls_.next->CreateSemaphore(calls_.device, &info, nullptr, &semaphore) != VK_SUCCESS) {
        return std::nullopt;
    }
    semaphores_.made(semaphore);
    return Ticket{.signal = {.semaphore = semaphore}};
}

Completion SemaphoreSource::take(const Ticket& ticket, std::span<const AttachTarget> /*targets*/,
                                 ProxyFence& /*guard*/) {
    UniqueFd payload;
    if (!export_payload(calls_, ticket.signal.semaphore, payload)) {
        return {.state = Completion::State::Failed,
                .sync_file = {},
                .fallback = "the driver exported no SYNC_FD of a semaphore"};
    }
    semaphores_.give_back(ticket.signal.semaphore);
    if (!payload) {
        return {.state = Completion::State::Done, .sync_file = {}};
    }
    return {.state = Completion::State::Pending, .sync_file = std::move(payload)};
}

Completion SemaphoreSource::wait(const Ticket& /*ticket*/) {
    // A binary semaphore cannot be waited for by the CPU.
    return {.state = Completion::State::Failed,
            .sync_file = {},
            .fallback = "a semaphore cannot be exported behind later work"};
}

void SemaphoreSource::abandon(const Ticket& ticket) {
    semaphores_.give_back(ticket.signal.semaphore);
}

} // namespace fencebridge
