#include "fence/fence_source.hpp"

namespace fencebridge {

FenceSource::~FenceSource() {
    for (VkFence fence : idle_) {
        calls_.next->DestroyFence(calls_.device, fence, nullptr);
    }
}

std::optional<Ticket> FenceSource::begin(VkFence /*application_fence*/) {
    if (!idle_.empty()) {
        const VkFence fence = idle_.back();
        idle_.pop_back();
        return Ticket{.fence = fence};
    }
    const VkExportFenceCreateInfo exportable{
        .sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    const VkFenceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
        .pNext = &exportable,
    };
    VkFence fence = VK_NULL_HANDLE;
    if (calls_.next->CreateFence(calls_.device, &info, nullptr, &fence) != VK_SUCCESS) {
        return std::nullopt;
    }
    idle_.reserve(idle_.size() + 1);
    return Ticket{.fence = fence};
}

Completion FenceSource::take(const Ticket& ticket) {
    const VkFenceGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
        .fence = ticket.fence,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    int fd = -1;
    const VkResult result = calls_.next->GetFenceFdKHR(calls_.device, &info, &fd);
    if (result == VK_SUCCESS) {
        idle_.push_back(ticket.fence);
        if (fd < 0) {
            return {.state = Completion::State::Done, .sync_file = {}};
        }
        return {.state = Completion::State::Pending, .sync_file = UniqueFd(fd)};
    }
    // The export failed (no descriptors, no memory): the fence itself still tells when the work is
    // done, so this hand-off falls to a CPU wait and none is lost.
    if (calls_.next->WaitForFences(calls_.device, 1, &ticket.fence, VK_TRUE, UINT64_MAX) ==
        VK_SUCCESS) {
        calls_.next->ResetFences(calls_.device, 1, &ticket.fence);
        idle_.push_back(ticket.fence);
        return {.state = Completion::State::Done, .sync_file = {}, .error = result};
    }
    // Device loss: nothing runs any more, the fence is kept for destruction only.
    calls_.next->DestroyFence(calls_.device, ticket.fence, nullptr);
    return {.state = Completion::State::Failed, .sync_file = {}, .error = result};
}

void FenceSource::abandon(const Ticket& ticket) {
    idle_.push_back(ticket.fence);
}

} // namespace fencebridge
