// Fence source `semaphore`: a SYNC_FD-exportable binary semaphore signalled by the application's
// batch.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/handle_pool.hpp"

namespace fencebridge {

/// vkGetSemaphoreFdKHR(SYNC_FD) has copy transference and the side effects of a wait (Vulkan spec,
/// "Importing and exporting semaphore payloads"): the semaphore is unsignalled again at once and
/// goes back to the pool while the work still runs.
class SemaphoreSource final : public CompletionSource {
public:
    explicit SemaphoreSource(DeviceCalls calls) : calls_(calls) {}
    ~SemaphoreSource() override;

    SourceKind kind() const override { return SourceKind::Semaphore; }
    std::optional<Ticket> begin(VkFence application_fence) override;
    Completion take(const Ticket& ticket, std::span<const AttachTarget> targets,
                    ProxyFence& guard) override;
    Completion wait(const Ticket& ticket) override;
    void abandon(const Ticket& ticket) override;

private:
    DeviceCalls calls_;
    /// One that was signalled but never exported (the export failed) does not come back.
    HandlePool<VkSemaphore> semaphores_;
};

} // namespace fencebridge
