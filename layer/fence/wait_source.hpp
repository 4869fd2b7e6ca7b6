// Fence source `wait`: the CPU waits for the work before the hand-off. Always correct, never cheap.
#pragma once

#include "fence/completion_source.hpp"

#include <vector>

namespace fencebridge {

/// Waits on the application's own fence where it gave one (a wait changes nothing in it), else on a
/// pooled one in the free slot: no submit is added.
class WaitSource final : public CompletionSource {
public:
    explicit WaitSource(DeviceCalls calls) : calls_(calls) {}
    ~WaitSource() override;

    SourceKind kind() const override { return SourceKind::Wait; }
    std::optional<Ticket> begin(VkFence application_fence) override;
    Completion take(const Ticket& ticket) override;
    void abandon(const Ticket& ticket) override;

private:
    DeviceCalls calls_;
    std::vector<VkFence> idle_;
};

} // namespace fencebridge
