#include "fence/fence_source.hpp"

namespace fencebridge {

std::optional<Ticket> FenceSource::begin(VkFence /*application_fence*/) {
    const VkFence fence = fences_.take();
    if (fence == VK_NULL_HANDLE) {
        return std::nullopt;
    }
    return Ticket{.fence = fence};
}

Completion FenceSource::take(const Ticket& ticket, std::span<const AttachTarget> /*targets*/,
                             ProxyFence& /*guard*/) {
    const VkFenceGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
        .fence = ticket.fence,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    int fd = -1;
    if (calls_.next->GetFenceFdKHR(calls_.device, &info, &fd) == VK_SUCCESS) {
        fences_.give_back(ticket.fence);
        if (fd < 0) {
            return {.state = Completion::State::Done, .sync_file = {}};
        }
        return {.state = Completion::State::Pending, .sync_file = UniqueFd(fd)};
    }
    // The export failed (no descriptors, no memory): the fence itself still tells when the work is
    // done, so this hand-off falls to a CPU wait and none is lost.
    Completion waited = wait(ticket);
    waited.fallback = "the driver exported no SYNC_FD of a fence";
    return waited;
}

Completion FenceSource::wait(const Ticket& ticket) {
    if (calls_.next->WaitForFences(calls_.device, 1, &ticket.fence, VK_TRUE, UINT64_MAX) ==
        VK_SUCCESS) {
        calls_.next->ResetFences(calls_.device, 1, &ticket.fence);
        fences_.give_back(ticket.fence);
        return {.state = Completion::State::Done, .sync_file = {}};
    }
    // Device loss: nothing runs any more.
    return {.state = Completion::State::Failed, .sync_file = {}, .fallback = "a wait failed"};
}

} // namespace fencebridge
