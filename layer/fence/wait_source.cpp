#include "fence/wait_source.hpp"

namespace fencebridge {

std::optional<Ticket> WaitSource::begin(VkFence application_fence) {
    if (application_fence != VK_NULL_HANDLE) {
        return Ticket{.fence = application_fence, .fence_is_borrowed = true};
    }
    const VkFence fence = fences_.take();
    if (fence == VK_NULL_HANDLE) {
        return std::nullopt;
    }
    return Ticket{.fence = fence};
}

Completion WaitSource::take(const Ticket& ticket, std::span<const AttachTarget> /*targets*/,
                            ProxyFence& /*guard*/) {
    return wait(ticket);
}

Completion WaitSource::wait(const Ticket& ticket) {
    const VkResult result =
        calls_.next->WaitForFences(calls_.device, 1, &ticket.fence, VK_TRUE, UINT64_MAX);
    if (result != VK_SUCCESS) {
        return {.state = Completion::State::Failed, .sync_file = {}, .fallback = "a wait failed"};
    }
    if (!ticket.fence_is_borrowed) {
        calls_.next->ResetFences(calls_.device, 1, &ticket.fence);
        fences_.give_back(ticket.fence);
    }
    return {.state = Completion::State::Done, .sync_file = {}};
}

void WaitSource::abandon(const Ticket& ticket) {
    if (!ticket.fence_is_borrowed) {
        fences_.give_back(ticket.fence);
    }
}

} // namespace fencebridge
