// Wait-before-signal: which submits depend on work that no queue has yet.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/device_calls.hpp"
#include "fence/semaphore_point.hpp"
#include "fence/vgem.hpp"
#include "handoff/hand_off.hpp"

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace fencebridge {

class QueueSubmitter;

/// A timeline semaphore's value, waited for or signalled.
using TimelinePoint = SemaphorePoint;

/// The timeline points of one submit. Waits that an earlier batch of the same submit signals are
/// left out.
struct TimelinePoints {
    std::vector<TimelinePoint> waits;
    std::vector<TimelinePoint> signals;

    void clear() {
        waits.clear();
        signals.clear();
    }
    bool empty() const { return waits.empty() && signals.empty(); }
};

/// A release that is put off: its work is behind a timeline value that nobody has submitted a
/// signal for, so no SYNC_FD of it may be exported yet and no fence of it may go on a dma-buf.
struct ParkedRelease {
    QueueSubmitter* submitter = nullptr;
    uint64_t submit = 0;
    Ticket ticket;
    std::vector<HandOff> releases;
    ProxyFence guard;           ///< on the buffers until the release is made, where there is one
    std::function<void()> then; ///< called when it is made, without a lock; or empty
    uint32_t trace_id = 0;      ///< of the trace's records of it (HandOffTrace::parked)
};

/// Follows timeline semaphores through the submits of one device. A submit is *resolved* when all
/// that it waits for, directly or through others, has been submitted, and so has everything before
/// it on its queue. Thread-safe.
///
/// Timelines that another process signals (imported payloads) are known by their counter alone: a
/// release behind one stays parked until a later call on this device finds the value reached.
class Timelines {
public:
    explicit Timelines(DeviceCalls calls) : calls_(calls) {}

    void created(VkSemaphore semaphore, uint64_t initial_value);
    /// Everything that waited for it or signals it is done (Vulkan's own rule): its points mean
    /// nothing to a later semaphore of the same handle. Returns what that resolves.
    std::vector<ParkedRelease> destroyed(VkSemaphore semaphore) noexcept;
    /// It got another payload for good (vkImportSemaphoreFdKHR): only its counter says more.
    void payload_replaced(VkSemaphore semaphore);

    /// False as long as the application has no timeline semaphore: nothing else need be asked.
    bool any() const { return count_.load(std::memory_order_acquire) != 0; }

    /// Whether a submit of these batches may wait for or signal a timeline: without a lock, by what
    /// is in the batches alone.
    static bool may_have_points(std::span<const VkSubmitInfo> batches);
    static bool may_have_points(std::span<const VkSubmitInfo2> batches);

    /// Collects the points of a submit's batches. Binary semaphores have none.
    void collect(std::span<const VkSubmitInfo> batches, TimelinePoints& points) const;
    void collect(std::span<const VkSubmitInfo2> batches, TimelinePoints& points) const;
    void collect(std::span<const VkBindSparseInfo> batches, TimelinePoints& points) const;

    /// A submit with these points is about to be made; submitted() follows, or not_submitted().
    /// Until then no call asks a counter: it would find this one's signals, and take over the
    /// parked releases that this call has to complete before it returns.
    void submitting(const TimelinePoints& points);
    void not_submitted(const TimelinePoints& points);

    /// Whether a submit with these waits on this queue would be resolved right now.
    bool is_resolved(const QueueSubmitter* queue, std::span<const TimelinePoint> waits) const;

    /// A submit succeeded. Returns the parked releases that it resolves, in order; `parked` is the
    /// submit's own release where it had to be put off.
    std::vector<ParkedRelease> submitted(const QueueSubmitter* queue, const TimelinePoints& points,
                                         std::optional<ParkedRelease> parked);

    /// The same for vkSignalSemaphore; signalled_by_host() follows, or host_signal_failed().
    void host_signalling();
    void host_signal_failed();

    /// vkSignalSemaphore succeeded. Returns what it resolves. Where memory runs out the rest stays
    /// parked until a later call.
    std::vector<ParkedRelease> signalled_by_host(const TimelinePoint& point) noexcept;

    /// The same for a timeline of ours that a thread of ours has signalled.
    std::vector<ParkedRelease> signalled_by_thread(const TimelinePoint& point) noexcept;

    /// Returns what others have resolved meanwhile: imported timelines tell nobody.
    std::vector<ParkedRelease> look_again() noexcept;

    /// Whether anything is unresolved; false is cheap.
    bool any_unresolved() const { return unresolved_.load(std::memory_order_acquire) != 0; }

private:
    struct Submit {
        TimelinePoints points;
        std::optional<ParkedRelease> parked;
    };

    bool resolved_now(const QueueSubmitter* queue, std::span<const TimelinePoint> waits) const;
    bool reached(const TimelinePoint& point) const;
    void raise(const TimelinePoint& point);
    std::vector<ParkedRelease> resolve();
    template<typename Batch>
    void collect_all(std::span<const Batch> batches, TimelinePoints& points) const;

    DeviceCalls calls_;
    std::atomic<size_t> count_ = 0;
    std::atomic<size_t> unresolved_ = 0;
    mutable std::mutex mutex_;
    /// Per timeline semaphore: the highest value whose signal is resolved.
    mutable std::unordered_map<VkSemaphore, uint64_t> resolved_;
    size_t signalling_calls_ = 0; ///< in progress
    std::map<const QueueSubmitter*, std::deque<Submit>> waiting_;
};

} // namespace fencebridge
