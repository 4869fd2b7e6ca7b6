// One queue's submits: acquire before, release after, in the application's own call.
#pragma once

#include "dispatch/device.hpp"
#include "handoff/acquirer.hpp"
#include "handoff/arena.hpp"
#include "handoff/hand_off_trace.hpp"
#include "handoff/ownership_checks.hpp"
#include "handoff/recordings.hpp"
#include "handoff/releaser.hpp"
#include "handoff/shared_memory.hpp"
#include "handoff/submit_plan.hpp"
#include "handoff/timelines.hpp"

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace fencebridge {

/// Images that a present hands out.
struct Present {
    std::span<const VkSemaphore> waits; ///< binary; what the work is behind
    /// Whether all of them can be exported, and nothing else is to be put behind them on the queue.
    bool may_export_waits = false;
    std::span<const SharedMemoryRef> memories;
    std::span<const VkFence> fences; ///< the application's, to signal when the work is done
    /// Called, without a lock, once the fence is on the memories: in the present; or, behind work
    /// that the queue cannot start yet, in the call that resolves it.
    std::function<void()> then;
};

/// Wraps vkQueueSubmit and vkQueueSubmit2 of one queue. The application serialises submits on a
/// queue; the lock is for releases that another queue's submit completes.
class QueueSubmitter {
public:
    /// Everything is borrowed and outlives the submitter. `checks` may be null.
    QueueSubmitter(const Device& device, VkQueue queue, SharedMemories& memories,
                   const Recordings& recordings, Timelines& timelines,
                   const ExportableFences& exportable_fences, OwnershipChecks* checks);
    QueueSubmitter(const QueueSubmitter&) = delete;
    QueueSubmitter& operator=(const QueueSubmitter&) = delete;

    /// Submits the batches, with what the hand-offs in them need added on a copy, and attaches the
    /// fences before it returns. Blocks only where source or acquire method are CPU waits. Returns
    /// what the driver returned. Throws std::bad_alloc before anything was submitted, never after.
    VkResult submit(std::span<const VkSubmitInfo> batches, VkFence fence);
    VkResult submit2(std::span<const VkSubmitInfo2> batches, VkFence fence);

    /// vkQueuePresentKHR on images of ours: the fence goes on their memories without a submit where
    /// the semaphores themselves can be had as fences, with one of its own otherwise. Not where
    /// that submit fails, whose result this returns.
    VkResult hand_out(Present present);

    /// Passes the binds on. They carry timeline points, and put shared memory under resources.
    VkResult bind_sparse(std::span<const VkBindSparseInfo> batches, VkFence fence);

    /// Completes a release of this queue that had been parked and is resolved now. Any thread.
    void complete(ParkedRelease& parked) noexcept;

    /// Ends the queue's threads, once the work that they wait for is done. Nothing is submitted
    /// after it.
    void stop();

    VkQueue queue() const { return queue_; }

private:
    template<typename Batch>
    bool may_hand_off(std::span<const Batch> batches) const;
    template<typename Batch>
    VkResult submit_any(std::span<const Batch> batches, VkFence fence);
    template<typename Batch>
    VkResult bridge(std::span<const Batch> batches, VkFence fence,
                    std::vector<ParkedRelease>& resolved_parked);
    template<typename Batch>
    VkResult bridge_planned(std::span<const Batch> batches, VkFence fence,
                            std::function<void()>* then,
                            std::vector<ParkedRelease>& resolved_parked);
    void pay_owed_wait();
    bool hand_out_exported(const Present& present);
    VkResult hand_out_by_submit(Present& present, std::vector<ParkedRelease>& resolved_parked);
    template<typename Batch>
    bool acquire(std::span<const Batch> batches);
    template<typename Batch>
    const Batch* patched(std::span<const Batch> batches, const SemaphorePoint& signal);

    void undo(const Signalling& signalling);
    std::vector<ParkedRelease> after_submit(Signalling& signalling, bool resolved,
                                            std::function<void()>* then);
    std::vector<ParkedRelease> record_points() noexcept;
    bool release(const Ticket& ticket, std::span<const HandOff> releases, uint64_t submit,
                 bool may_export, ProxyFence& guard, VkFence* displaced);
    bool wait_for_queue(const char* why, bool resolved);
    void owe_wait(ProxyFence&& guard) noexcept;

    VkResult call_next(std::span<const VkSubmitInfo> batches, VkFence fence);
    VkResult call_next(std::span<const VkSubmitInfo2> batches, VkFence fence);

    const Device& device_;
    const VkQueue queue_;
    SharedMemories& memories_;
    const Recordings& recordings_;
    Timelines& timelines_;
    OwnershipChecks* const checks_;

    std::mutex mutex_;
    HandOffTrace trace_;
    Releaser releaser_;
    Acquirer acquirer_;
    uint64_t last_submit_ = 0;
    /// Work that got no fence could not be waited for in its own call: the queue's next submit does
    /// it first of all.
    std::atomic<bool> owes_wait_ = false;
    std::vector<ProxyFence> owed_guards_; ///< on the buffers of that work until then

    // Kept from submit to submit, so that the steady state allocates nothing.
    Arena arena_;
    SubmitPlan plan_;
    std::vector<DmaBuf*> locked_;
    TimelinePoints points_;
};

/// Completes what a submit or a host signal has resolved, each on its own queue.
void complete_all(std::vector<ParkedRelease> parked) noexcept;

} // namespace fencebridge
