// One queue's submits: acquire before, release after, in the application's own call.
#pragma once

#include "dispatch/device.hpp"
#include "handoff/acquirer.hpp"
#include "handoff/arena.hpp"
#include "handoff/ownership_checks.hpp"
#include "handoff/recordings.hpp"
#include "handoff/releaser.hpp"
#include "handoff/shared_memory.hpp"
#include "handoff/submit_plan.hpp"
#include "handoff/timelines.hpp"

#include <vulkan/vulkan_core.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace fencebridge {

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

    /// Hands out memories whose work is behind `waits` (binary semaphores), with a submit of its
    /// own: vkQueuePresentKHR on images of ours. `then` is called, without a lock, once the fence
    /// is on them: before this returns; or, behind work that the queue cannot start yet, in the
    /// call that resolves it. Not where the submit fails.
    VkResult hand_out(std::span<const VkSemaphore> waits, std::span<const SharedMemoryRef> memories,
                      VkFence fence, std::function<void()> then);

    /// Passes the binds on. They carry timeline points, and put shared memory under resources.
    VkResult bind_sparse(std::span<const VkBindSparseInfo> batches, VkFence fence);

    /// Completes a release of this queue that had been parked and is resolved now. Any thread.
    void complete(ParkedRelease& parked) noexcept;

    /// Ends the queue's threads, once the work that they wait for is done. Nothing is submitted
    /// after it.
    void stop();

    VkQueue queue() const { return queue_; }

private:
    bool may_hand_off() const;
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
    template<typename Batch>
    bool acquire(std::span<const Batch> batches);
    template<typename Batch>
    const Batch* patched(std::span<const Batch> batches, const SemaphorePoint& signal);

    void undo(const Signalling& signalling);
    std::vector<ParkedRelease> after_submit(Signalling& signalling, bool resolved,
                                            std::function<void()>* then);
    std::vector<ParkedRelease> record_points() noexcept;
    bool release(const Ticket& ticket, std::span<const HandOff> releases, uint64_t submit,
                 bool may_export, VkFence* displaced);
    void wait_for_queue(const char* why, bool resolved);

    VkResult call_next(std::span<const VkSubmitInfo> batches, VkFence fence);
    VkResult call_next(std::span<const VkSubmitInfo2> batches, VkFence fence);

    const Device& device_;
    const VkQueue queue_;
    SharedMemories& memories_;
    const Recordings& recordings_;
    Timelines& timelines_;
    OwnershipChecks* const checks_;

    std::mutex mutex_;
    Releaser releaser_;
    Acquirer acquirer_;
    uint64_t last_submit_ = 0;
    /// Work that got no fence could not be waited for in its own call: the queue's next submit does
    /// it first of all.
    bool owes_wait_ = false;

    // Kept from submit to submit, so that the steady state allocates nothing.
    Arena arena_;
    SubmitPlan plan_;
    std::vector<std::shared_ptr<DmaBuf>> locked_;
    TimelinePoints points_;
};

/// Completes what a submit or a host signal has resolved, each on its own queue.
void complete_all(std::vector<ParkedRelease> parked) noexcept;

} // namespace fencebridge
