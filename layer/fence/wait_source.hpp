// Fence source `wait`: the CPU waits for the work before the hand-off. Always correct, never cheap.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/fence_pool.hpp"

namespace fencebridge {

/// Waits on the application's own fence where it gave one (a wait changes nothing in it), else on a
/// pooled one in the free slot: no submit is added.
class WaitSource final : public CompletionSource {
public:
    explicit WaitSource(DeviceCalls calls)
        : calls_(calls), fences_(calls, FencePool::Kind::Plain) {}

    SourceKind kind() const override { return SourceKind::Wait; }
    std::optional<Ticket> begin(VkFence application_fence) override;
    Completion take(const Ticket& ticket, std::span<const AttachTarget> targets,
                    ProxyFence& guard) override;
    Completion wait(const Ticket& ticket) override;
    void abandon(const Ticket& ticket) override;

private:
    DeviceCalls calls_;
    FencePool fences_;
};

} // namespace fencebridge
