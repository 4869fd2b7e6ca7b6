#include "fence/wait_source.hpp"

namespace fencebridge {

WaitSource::~WaitSource() {
    for (VkFence fence : idle_) {
        calls_.next->DestroyFence(calls_.device, fence, nullptr);
    }
}

std::optional<Ticket> WaitSource::begin(VkFence application_fence) {
    if (application_fence != VK_NULL_HANDLE) {
        return Ticket{.fence = application_fence, .fence_is_borrowed = true};
    }
    if (!idle_.empty()) {
        const VkFence fence = idle_.back();
        idle_.pop_back();
        return Ticket{.fence = fence};
    }
    const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    if (calls_.next->CreateFence(calls_.device, &info, nullptr, &fence) != VK_SUCCESS) {
        return std::nullopt;
    }
    idle_.reserve(idle_.size() + 1);
    return Ticket{.fence = fence};
}

Completion WaitSource::take(const Ticket& ticket) {
    const VkResult result =
        calls_.next->WaitForFences(calls_.device, 1, &ticket.fence, VK_TRUE, UINT64_MAX);
    if (!ticket.fence_is_borrowed) {
        if (result == VK_SUCCESS) {
            calls_.next->ResetFences(calls_.device, 1, &ticket.fence);
            idle_.push_back(ticket.fence);
        } else {
            calls_.next->DestroyFence(calls_.device, ticket.fence, nullptr);
        }
    }
    if (result != VK_SUCCESS) {
        return {.state = Completion::State::Failed, .sync_file = {}, .error = result};
    }
    return {.state = Completion::State::Done, .sync_file = {}};
}

void WaitSource::abandon(const Ticket& ticket) {
    if (!ticket.fence_is_borrowed) {
        idle_.push_back(ticket.fence);
    }
}

} // namespace fencebridge
