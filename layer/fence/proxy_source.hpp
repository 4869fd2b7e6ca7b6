// Fence source `proxy`: a vgem fence stands for the work, and a thread signals it.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/fence_pool.hpp"
#include "fence/own_timeline.hpp"
#include "fence/vgem.hpp"
#include "fence/worker.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

namespace fencebridge {

/// For drivers without SYNC_FD, and those whose export waits for the work. The submit signals a
/// timeline semaphore of ours, or, without timelines, has a fence of ours in its slot.
///
/// vgem lets no fence live longer than ten seconds. While the work runs, a fence in the middle of
/// its life is replaced: another is put on the same buffers before the first one's time is up, so
/// that whoever polls never finds the buffer free too early. Somebody who had taken the first as a
/// sync_file sees it end with ETIMEDOUT; so a queue that has had such work once is not trusted
/// with proxies again: the CPU waits there from then on, as with the source `wait`.
///
/// In a loop of frames a submit finds its fence made: the thread that has come to the end of one
/// job makes it for the next.
class ProxySource final : public CompletionSource {
public:
    /// `renew_after`: the age at which a fence is replaced; well below Vgem::time_limit.
    ProxySource(DeviceCalls calls, std::shared_ptr<Vgem> vgem, bool has_timelines,
                std::chrono::milliseconds renew_after = Vgem::time_limit / 2);
    ~ProxySource() override { stop(); }

    SourceKind kind() const override { return SourceKind::Proxy; }
    std::optional<Ticket> begin(VkFence application_fence) override;
    ProxyFence make_guard(Vgem& /*vgem*/) override { return make_fence(); }
    Completion take(const Ticket& ticket, std::span<const AttachTarget> targets,
                    ProxyFence& guard) override;
    const char* attached(Completion&& completion) noexcept override;
    Completion wait(const Ticket& ticket) override { return wait_on_cpu(ticket, nullptr); }
    void abandon(const Ticket& ticket) override;
    bool can_stand_for_application_fence() const override { return false; }
    void stop() final;

private:
    /// Work that is not done yet, and the fences that say so.
    struct Job {
        Ticket ticket;
        ProxyFence fence;
        std::vector<ProxyFence> others;               ///< on the same buffers beside it
        std::chrono::steady_clock::time_point newest; ///< when the youngest was made
        std::vector<AttachTarget> targets;
        UniqueFd sync_file; ///< the fence's: the submit leaves its closing to the thread
    };

    /// Waits for the work, at most `timeout` (negative: for ever).
    VkResult wait_for(const Ticket& ticket, std::chrono::nanoseconds timeout) const;
    Completion wait_on_cpu(const Ticket& ticket, const char* why);
    void finish(const Ticket& ticket, VkResult result);
    std::vector<AttachTarget> spare_targets();
    void spare(std::vector<AttachTarget>&& targets) noexcept;
    ProxyFence make_fence();
    bool is_young(const ProxyFence& fence) const;
    void prepare_fence();
    void stand_for(Job& job);
    void renew(Job& job);

    DeviceCalls calls_;
    const std::shared_ptr<Vgem> vgem_;
    const std::chrono::milliseconds renew_after_;
    OwnTimeline timeline_;    ///< not made where the device has no timelines
    std::mutex fences_mutex_; ///< of the pool, which the thread gives back to
    FencePool fences_;
    std::mutex spares_mutex_;                       ///< the thread gives back what jobs bring
    std::vector<std::vector<AttachTarget>> spares_; ///< so that the steady state allocates nothing
    ProxyFence prepared_;               ///< by the thread, with the same lock; it may have aged
    std::atomic<bool> is_slow_ = false; ///< work of this queue has outlived a proxy
    std::optional<Job> taken_;          ///< not attached yet
    Worker<Job> worker_;
};

} // namespace fencebridge
