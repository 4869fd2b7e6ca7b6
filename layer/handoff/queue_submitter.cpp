#include "handoff/queue_submitter.hpp"

#include "fence/semaphore_payloads.hpp"
#include "fence/sync_file.hpp"
#include "handoff/batch_patch.hpp"
#include "handoff/batches.hpp"
#include "handoff/buffer_locks.hpp"
#include "report/log.hpp"

#include <new>
#include <utility>

namespace fencebridge {

namespace {

/// Clears a submit's plan, also where memory runs out on the way.
class PlanEnd {
public:
    explicit PlanEnd(SubmitPlan& plan) : plan_(plan) {}
    PlanEnd(const PlanEnd&) = delete;
    PlanEnd& operator=(const PlanEnd&) = delete;
    ~PlanEnd() { plan_.clear(); }

private:
    SubmitPlan& plan_;
};

} // namespace

QueueSubmitter::QueueSubmitter(const Device& device, VkQueue queue, SharedMemories& memories,
                               const Recordings& recordings, Timelines& timelines,
                               const ExportableFences& exportable_fences, OwnershipChecks* checks)
    : device_(device), queue_(queue), memories_(memories), recordings_(recordings),
      timelines_(timelines), checks_(checks), trace_(device),
      releaser_(device, queue, exportable_fences, trace_), acquirer_(device, timelines, trace_) {}

VkResult QueueSubmitter::submit(std::span<const VkSubmitInfo> batches, VkFence fence) {
    return submit_any(batches, fence);
}

VkResult QueueSubmitter::submit2(std::span<const VkSubmitInfo2> batches, VkFence fence) {
    return submit_any(batches, fence);
}

/// Whether there can be anything to do for us. False costs no lock, and most submits no more than
/// a look at each command buffer.
template<typename Batch>
bool QueueSubmitter::may_hand_off(std::span<const Batch> batches) const {
    if (owes_wait_.load(std::memory_order_relaxed)) {
        return true;
    }
    if (timelines_.any() && (timelines_.any_unresolved() || Timelines::may_have_points(batches))) {
        return true;
    }
    if (device_.instance->settings.policy == Policy::Always && memories_.any()) {
        return true;
    }
    if (recordings_.empty()) {
        return false;
    }
    for (const Batch& batch : batches) {
        const uint32_t count = command_buffer_count(batch);
        for (uint32_t i = 0; i < count; ++i) {
            if (recordings_.holds(command_buffer(batch, i))) {
                return true;
            }
        }
    }
    return false;
}

template<typename Batch>
VkResult QueueSubmitter::submit_any(std::span<const Batch> batches, VkFence fence) {
    if (!may_hand_off(batches)) {
        return call_next(batches, fence);
    }
    std::optional<OwnershipChecks::Submit> checked;
    if (checks_ != nullptr) {
        checked = checks_->look(batches, recordings_);
    }
    std::vector<ParkedRelease> resolved_parked;
    VkResult result = VK_SUCCESS;
    {
        const std::lock_guard guard(mutex_);
        const PlanEnd end(plan_);
        trace_.begin();
        result = bridge(batches, fence, resolved_parked);
    }
    complete_all(std::move(resolved_parked));
    if (checked && result == VK_SUCCESS) {
        checks_->submitted(std::move(*checked));
    }
    return result;
}

VkResult QueueSubmitter::hand_out(Present present) {
    std::vector<ParkedRelease> resolved_parked;
    VkResult result = VK_SUCCESS;
    {
        const std::lock_guard guard(mutex_);
        const PlanEnd end(plan_);
        trace_.begin();
        pay_owed_wait();
        points_.clear();
        plan_.make_release(present.memories);
        if (!hand_out_exported(present)) {
            result = hand_out_by_submit(present, resolved_parked);
        }
    }
    complete_all(std::move(resolved_parked));
    // Empty where it was parked with the release.
    if (result == VK_SUCCESS && present.then) {
        present.then();
    }
    return result;
}

/// Called with the lock held and the plan made. False, with nothing done, where it takes a submit.
bool QueueSubmitter::hand_out_exported(const Present& present) {
    if (!present.may_export_waits || present.waits.empty() ||
        !timelines_.is_resolved(this, points_.waits)) {
        return false;
    }
    // First what may run out of memory: a payload that was taken cannot be handed back by a throw.
    const BufferLocks locks({}, plan_.releases(), locked_);
    const uint64_t before = trace_.now();
    const std::optional<Completion> completion = take_payloads(device_.calls(), present.waits);
    if (!completion) {
        return false;
    }
    trace_.took(SourceKind::Semaphore, before);
    releaser_.release(*completion, plan_.releases());
    for (const VkFence fence : present.fences) {
        if (!releaser_.give_payload(fence, *completion)) {
            // The work may be another queue's: what this one has says nothing of it.
            wait_sync_file(completion->sync_file.get(), std::chrono::milliseconds(-1));
            releaser_.hand_on(fence, {.state = Completion::State::Failed, .sync_file = {}});
        }
    }
    return true;
}

/// Called with the lock held and the plan made.
VkResult QueueSubmitter::hand_out_by_submit(Present& present,
                                            std::vector<ParkedRelease>& resolved_parked) {
    const std::vector<VkPipelineStageFlags> stages(present.waits.size(),
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = static_cast<uint32_t>(present.waits.size()),
        .pWaitSemaphores = present.waits.data(),
        .pWaitDstStageMask = stages.data(),
    };
    const VkFence slot = present.fences.empty() ? VK_NULL_HANDLE : present.fences.front();
    const VkResult result =
        bridge_planned(std::span(&batch, 1), slot, &present.then, resolved_parked);
    // The slot has room for one; what follows on the queue signals when all before it is done.
    for (size_t i = 1; i < present.fences.size() && result == VK_SUCCESS; ++i) {
        count(device_.counters.trailing_submits);
        if (device_.next.QueueSubmit(queue_, 0, nullptr, present.fences[i]) != VK_SUCCESS) {
            // The present was made: the fence has to signal, and nothing else would.
            releaser_.hand_on(present.fences[i],
                              {.state = Completion::State::Failed, .sync_file = {}});
        }
    }
    return result;
}

VkResult QueueSubmitter::bind_sparse(std::span<const VkBindSparseInfo> batches, VkFence fence) {
    std::vector<ParkedRelease> resolved_parked;
    VkResult result = VK_SUCCESS;
    {
        const std::lock_guard guard(mutex_);
        if (memories_.any()) {
            memories_.bound(batches);
        }
        points_.clear();
        if (timelines_.any()) {
            timelines_.collect(batches, points_);
        }
        timelines_.submitting(points_);
        result = device_.next.QueueBindSparse(queue_, static_cast<uint32_t>(batches.size()),
                                              batches.data(), fence);
        if (result == VK_SUCCESS) {
            resolved_parked = record_points();
        } else {
            timelines_.not_submitted(points_);
        }
    }
    complete_all(std::move(resolved_parked));
    return result;
}

/// Called with the lock held.
template<typename Batch>
VkResult QueueSubmitter::bridge(std::span<const Batch> batches, VkFence fence,
                                std::vector<ParkedRelease>& resolved_parked) {
    pay_owed_wait();
    points_.clear();
    if (timelines_.any()) {
        timelines_.collect(batches, points_);
    }
    if (!plan_.make(batches, device_.instance->settings.policy, recordings_, memories_)) {
        timelines_.submitting(points_);
        const VkResult result = call_next(batches, fence);
        if (result == VK_SUCCESS) {
            resolved_parked = record_points();
        } else {
            timelines_.not_submitted(points_);
        }
        return result;
    }
    return bridge_planned(batches, fence, nullptr, resolved_parked);
}

void QueueSubmitter::pay_owed_wait() {
    if (!owes_wait_) {
        return;
    }
    if (wait_for_queue("earlier work got no fence", true)) {
        owes_wait_ = false;
        owed_guards_.clear();
    }
}

/// Called with the lock held, the plan made and the points collected. `then`: of a hand_out(),
/// taken where its release is parked; or null.
template<typename Batch>
VkResult QueueSubmitter::bridge_planned(std::span<const Batch> batches, VkFence fence,
                                        std::function<void()>* then,
                                        std::vector<ParkedRelease>& resolved_parked) {
    arena_.reset();
    const BufferLocks locks(plan_.batches(), plan_.releases(), locked_);
    Signalling signalling{.ticket = std::nullopt, .slot = fence, .guard = {}};
    bool resolved = timelines_.is_resolved(this, points_.waits);
    timelines_.submitting(points_);
    VkResult result = VK_SUCCESS;
    try {
        // Whether the application alone could keep the work waiting: then a proxy's time might run
        // out before there is any work.
        const bool resolved_by_application = resolved;
        // Waiting for a peer on the CPU comes first of all: nothing of this submit is in the kernel
        // yet.
        if (acquire(batches)) {
            resolved = resolved && timelines_.is_resolved(this, points_.waits);
        }
        if (!plan_.releases().empty() || acquirer_.semaphores.wants_completion()) {
            releaser_.prepare(signalling, resolved, can_patch(batches[plan_.signalling_batch()]));
        }
        const Batch* const ours = patched(batches, signalling.in_batch());
        // A peer of a hand_out() does not look before it is told.
        if (then == nullptr && resolved_by_application) {
            releaser_.guard(signalling, plan_.changing_releases());
        }
        result = call_next(std::span(ours, batches.size()), signalling.slot);
    } catch (const std::bad_alloc&) {
        // Falls to the undo: the submit was not made.
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (result != VK_SUCCESS) {
        undo(signalling);
        timelines_.not_submitted(points_);
        return result;
    }
    plan_.submitted();
    trace_.submitted();
    resolved_parked = after_submit(signalling, resolved, then);
    return result;
}

/// Fills the batches' waits. True where a thread of ours signals one: the submit is behind a
/// timeline value then, as it is behind the application's own.
template<typename Batch>
bool QueueSubmitter::acquire(std::span<const Batch> batches) {
    bool has_points = false;
    for (BatchPlan& plan : plan_.batches()) {
        plan.wait = acquirer_.acquire(plan.acquires, can_patch(batches[plan.batch]));
        if (plan.wait.value != 0) {
            points_.waits.push_back(plan.wait);
            has_points = true;
        }
    }
    return has_points;
}

/// The application's batches, or a copy with our semaphores in it where there are any.
template<typename Batch>
const Batch* QueueSubmitter::patched(std::span<const Batch> batches, const SemaphorePoint& signal) {
    if (!signal && !plan_.has_waits()) {
        return batches.data();
    }
    Batch* const copies = arena_.copy(batches.data(), batches.size(), 0);
    for (const BatchPlan& plan : plan_.batches()) {
        if (plan.wait) {
            patch(copies[plan.batch], plan.wait, {}, arena_);
        }
    }
    if (signal) {
        patch(copies[plan_.signalling_batch()], {}, signal, arena_);
    }
    return copies;
}

/// The submit failed: nothing was waited for, nothing will be signalled. The guard signals as it
/// goes, and values that a thread signals are waited for by nobody.
void QueueSubmitter::undo(const Signalling& signalling) {
    for (const BatchPlan& plan : plan_.batches()) {
        if (plan.wait && plan.wait.value == 0) {
            acquirer_.semaphores.discard(plan.wait.semaphore);
        }
    }
    if (signalling.ticket) {
        releaser_.abandon(*signalling.ticket);
    }
}

/// The work is in the kernel: from here on nothing may fail the call. Returns what it resolves of
/// other submits.
std::vector<ParkedRelease> QueueSubmitter::after_submit(Signalling& signalling, bool resolved,
                                                        std::function<void()>* then) {
    std::vector<ParkedRelease> resolved_parked;
    const char* unfenced = nullptr;
    bool is_recorded = false;
    try {
        const uint64_t submit = ++last_submit_;
        for (const BatchPlan& plan : plan_.batches()) {
            if (plan.wait && plan.wait.value == 0) {
                // A signal in a batch covers the batches up to its own; what a later one waits for
                // is over for sure with the next submit's.
                const bool is_covered =
                    !signalling.in_batch() || plan.batch <= plan_.signalling_batch();
                acquirer_.semaphores.submitted(plan.wait.semaphore,
                                               is_covered ? submit : submit + 1);
            }
        }
        std::optional<ParkedRelease> parked;
        if (!signalling.ticket) {
            if (!plan_.releases().empty()) {
                unfenced = "no memory for a fence source's objects";
            }
        } else if (signalling.trailing && !releaser_.submit_trailing(*signalling.ticket)) {
            releaser_.abandon(*signalling.ticket);
            unfenced = "the trailing submit failed";
        } else if (resolved) {
            if (!release(*signalling.ticket, plan_.releases(), submit, true, signalling.guard,
                         &signalling.displaced)) {
                unfenced = "the fence source failed";
            }
        } else {
            count(device_.counters.parked);
            parked = ParkedRelease{this,
                                   submit,
                                   *signalling.ticket,
                                   plan_.releases(),
                                   std::move(signalling.guard),
                                   {},
                                   trace_.parked(plan_.releases())};
            if (then != nullptr) {
                parked->then = std::exchange(*then, {});
            }
        }
        is_recorded = true;
        resolved_parked = timelines_.submitted(this, points_, std::move(parked));
    } catch (const std::bad_alloc&) {
        unfenced = "out of memory after the submit";
        if (!is_recorded) {
            timelines_.not_submitted(points_);
        }
    }
    if (unfenced != nullptr && !wait_for_queue(unfenced, resolved)) {
        owe_wait(std::move(signalling.guard));
    }
    if (signalling.displaced != VK_NULL_HANDLE) {
        // Its place was taken for nothing.
        releaser_.hand_on(signalling.displaced,
                          {.state = Completion::State::Failed, .sync_file = {}});
    }
    return resolved_parked;
}

/// A submit without hand-offs was made: its timeline points may resolve others. Its result stands,
/// whatever happens here.
std::vector<ParkedRelease> QueueSubmitter::record_points() noexcept {
    try {
        return timelines_.submitted(this, points_, std::nullopt);
    } catch (const std::bad_alloc&) {
        log(LogLevel::Error, "out of memory: a submit's timeline points are lost");
        return {};
    }
}

/// False where the source failed and the work may still run: the caller has to wait for it.
bool QueueSubmitter::release(const Ticket& ticket, std::span<const HandOff> releases,
                             uint64_t submit, bool may_export, ProxyFence& guard,
                             VkFence* displaced) {
    Completion completion = releaser_.release(ticket, releases, may_export, guard);
    const Completion::State state = completion.state;
    if (state == Completion::State::Pending) {
        acquirer_.semaphores.completes_with(submit, completion.sync_file);
    } else if (state == Completion::State::Done) {
        acquirer_.semaphores.completed(submit);
    }
    if (displaced != nullptr && *displaced != VK_NULL_HANDLE) {
        releaser_.hand_on(*displaced, completion);
        *displaced = VK_NULL_HANDLE;
    }
    releaser_.settle(std::move(completion));
    return state != Completion::State::Failed;
}

/// The last resort: in the call in progress, this queue is the application's to wait on. False
/// behind work that is not resolved: it cannot become idle, and the wait has to be owed.
bool QueueSubmitter::wait_for_queue(const char* why, bool resolved) {
    if (!resolved || !timelines_.is_resolved(this, {})) {
        return false;
    }
    static Once once;
    count(device_.counters.fallbacks);
    if (once.first()) {
        log(LogLevel::Warn, "%s: the CPU waits for the queue", why);
    }
    if (device_.next.QueueWaitIdle(queue_) == VK_SUCCESS) {
        // With those that were left to the next submit.
        acquirer_.semaphores.completed(last_submit_ + 1);
    }
    return true;
}

/// The guard, where there is one, is all that a peer can see of the work until then.
void QueueSubmitter::owe_wait(ProxyFence&& guard) noexcept {
    owes_wait_ = true;
    try {
        if (guard) {
            owed_guards_.push_back(std::move(guard));
        }
    } catch (const std::bad_alloc&) {
        log(LogLevel::Error, "out of memory: a guard fence signals before its work is done");
    }
}

void QueueSubmitter::complete(ParkedRelease& parked) noexcept {
    const std::lock_guard guard(mutex_);
    trace_.begin(parked.trace_id);
    bool fenced = false;
    try {
        const BufferLocks locks({}, parked.releases, locked_);
        // Later work of this queue may be unresolved.
        const bool may_export =
            !device_.source.late_export_covers_queue || timelines_.is_resolved(this, {});
        fenced = release(parked.ticket, parked.releases, parked.submit, may_export, parked.guard,
                         nullptr);
    } catch (const std::bad_alloc&) {
        log(LogLevel::Error, "out of memory: a parked release is not made");
    }
    if (!fenced) {
        // This call is not the queue's own, and only the application may say when to wait on its
        // queue.
        owe_wait(std::move(parked.guard));
        count(device_.counters.fallbacks);
        log(LogLevel::Warn, "a parked release got no fence: its queue's next submit waits for it");
    }
    (void)parked.guard.signal();
}

void QueueSubmitter::stop() {
    // First what may still complete releases, then what stands for them.
    acquirer_.stop();
    releaser_.stop();
}

VkResult QueueSubmitter::call_next(std::span<const VkSubmitInfo> batches, VkFence fence) {
    return device_.next.QueueSubmit(queue_, static_cast<uint32_t>(batches.size()), batches.data(),
                                    fence);
}

VkResult QueueSubmitter::call_next(std::span<const VkSubmitInfo2> batches, VkFence fence) {
    return device_.next.QueueSubmit2(queue_, static_cast<uint32_t>(batches.size()), batches.data(),
                                     fence);
}

void complete_all(std::vector<ParkedRelease> parked) noexcept {
    for (ParkedRelease& release : parked) {
        release.submitter->complete(release);
        if (release.then) {
            release.then();
        }
    }
}

} // namespace fencebridge
