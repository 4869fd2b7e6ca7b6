// Fence source `fence`: a SYNC_FD-exportable VkFence in the submit's fence slot.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/fence_pool.hpp"

namespace fencebridge {

/// vkGetFenceFdKHR(SYNC_FD) has the side effects of a reset (Vulkan spec, "Importing and exporting
/// fence payloads"), so the fence goes back to the pool at once. Where the application has put its
/// own fence in the slot, the caller gives it the exported payload afterwards.
class FenceSource final : public CompletionSource {
public:
    explicit FenceSource(DeviceCalls calls)
        : calls_(calls), fences_(calls, FencePool::Kind::SyncFdExportable) {}

    SourceKind kind() const override { return SourceKind::Fence; }
    std::optional<Ticket> begin(VkFence application_fence) override;
    Completion take(const Ticket& ticket, std::span<const AttachTarget> targets,
                    ProxyFence& guard) override;
    Completion wait(const Ticket& ticket) override;
    void abandon(const Ticket& ticket) override { fences_.give_back(ticket.fence); }

private:
    DeviceCalls calls_;
    FencePool fences_;
};

} // namespace fencebridge
