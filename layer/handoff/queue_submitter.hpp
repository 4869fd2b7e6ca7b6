// One queue's submits: acquire before, release after, in the application's own call.
#pragma once

#include "dispatch/device.hpp"
#include "fence/completion_source.hpp"
#include "handoff/acquirer.hpp"
#include "handoff/arena.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/recordings.hpp"
#include "handoff/timelines.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace fencebridge {

/// The application's fences that it may export itself: their payloads are left alone.
using ExportableFences = StripedMap<VkFence, bool>;

/// Wraps vkQueueSubmit and vkQueueSubmit2 of one queue. The application serialises submits on a
/// queue; the lock is for releases that another queue's submit completes.
class QueueSubmitter {
public:
    /// Everything is borrowed and outlives the submitter.
    QueueSubmitter(const Device& device, VkQueue queue, const Recordings& recordings,
                   Timelines& timelines, const ExportableFences& exportable_fences);
    QueueSubmitter(const QueueSubmitter&) = delete;
    QueueSubmitter& operator=(const QueueSubmitter&) = delete;

    /// Submits the batches, with what the hand-offs in them need added on a copy, and attaches the
    /// fences before it returns. Blocks only where source or acquire method are CPU waits. Returns
    /// what the driver returned. Throws std::bad_alloc before anything was submitted, never after.
    VkResult submit(std::span<const VkSubmitInfo> batches, VkFence fence);
    VkResult submit2(std::span<const VkSubmitInfo2> batches, VkFence fence);

    /// Passes the binds on; they only carry timeline points.
    VkResult bind_sparse(std::span<const VkBindSparseInfo> batches, VkFence fence);

    /// Completes a release of this queue that had been parked and is resolved now. Any thread.
    void complete(const ParkedRelease& parked);

    VkQueue queue() const { return queue_; }

private:
    /// What one batch needs.
    struct BatchPlan {
        size_t batch = 0;
        std::vector<HandOff> acquires;
        VkSemaphore wait = VK_NULL_HANDLE; ///< carries the peers' fences, where there are any
        bool has_releases = false;
    };
    /// How the submit's completion reaches the fence source.
    struct Signalling {
        std::optional<Ticket> ticket;
        size_t batch = 0;                   ///< that signals the ticket's semaphore
        VkFence slot = VK_NULL_HANDLE;      ///< the submit's fence slot
        VkFence displaced = VK_NULL_HANDLE; ///< the application's, to be handed the payload
        bool trailing = false;              ///< a signal-only submit behind the application's
    };
    class BufferLocks;

    template<typename Batch>
    VkResult submit_any(std::span<const Batch> batches, VkFence fence);
    template<typename Batch>
    VkResult bridge(std::span<const Batch> batches, VkFence fence,
                    std::vector<ParkedRelease>& resolved_parked);
    template<typename Batch>
    bool make_plans(std::span<const Batch> batches);
    BatchPlan& plan_for(size_t batch);
    std::span<BatchPlan> plans() { return std::span(plans_).first(plan_count_); }

    template<typename Batch>
    void prepare_signalling(std::span<const Batch> batches, bool resolved, Signalling& signalling);
    template<typename Batch>
    const Batch* patched(std::span<const Batch> batches, const Signalling& signalling);
    void undo(const Signalling& signalling);
    bool submit_trailing(const Ticket& ticket);

    bool release(const Ticket& ticket, std::span<const HandOff> releases, uint64_t submit,
                 VkFence* displaced);
    void attach(const HandOff& hand_off, const UniqueFd& sync_file);
    void hand_on(VkFence application_fence, const Completion& completion);
    void wait_for_queue(const char* why);

    VkResult call_next(std::span<const VkSubmitInfo> batches, VkFence fence);
    VkResult call_next(std::span<const VkSubmitInfo2> batches, VkFence fence);

    const Device& device_;
    const VkQueue queue_;
    const Recordings& recordings_;
    Timelines& timelines_;
    const ExportableFences& exportable_fences_;

    std::mutex mutex_;
    std::unique_ptr<CompletionSource> source_;
    Acquirer acquirer_;
    uint64_t last_submit_ = 0;
    bool owes_wait_ = false; ///< a parked release failed in another queue's call

    // Kept from submit to submit, so that the steady state allocates nothing.
    Arena arena_;
    std::vector<BatchPlan> plans_;
    size_t plan_count_ = 0;
    std::vector<HandOff> releases_;
    std::vector<std::shared_ptr<DmaBuf>> locked_;
    TimelinePoints points_;
};

/// Completes what a submit or a host signal has resolved, each on its own queue.
void complete_all(std::span<const ParkedRelease> parked);

} // namespace fencebridge
