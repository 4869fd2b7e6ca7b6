#include "handoff/queue_submitter.hpp"

#include "handoff/batch_patch.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

namespace fencebridge {

/// Locks every dma-buf of a submit, in one order for all threads, from export to attach.
class QueueSubmitter::BufferLocks {
public:
    BufferLocks(std::span<const BatchPlan> batch_plans, std::span<const HandOff> releases,
                std::vector<std::shared_ptr<DmaBuf>>& storage)
        : buffers_(storage) {
        buffers_.clear();
        for (const BatchPlan& plan : batch_plans) {
            add(plan.acquires);
        }
        add(releases);
        std::sort(buffers_.begin(), buffers_.end());
        buffers_.erase(std::unique(buffers_.begin(), buffers_.end()), buffers_.end());
        for (const auto& buffer : buffers_) {
            buffer->lock.lock();
        }
    }
    ~BufferLocks() {
        for (const auto& buffer : buffers_) {
            buffer->lock.unlock();
        }
        buffers_.clear();
    }
    BufferLocks(const BufferLocks&) = delete;
    BufferLocks& operator=(const BufferLocks&) = delete;

private:
    void add(std::span<const HandOff> hand_offs) {
        for (const HandOff& hand_off : hand_offs) {
            if (auto buffer = hand_off.memory->dma_buf()) {
                buffers_.push_back(std::move(buffer));
            }
        }
    }

    std::vector<std::shared_ptr<DmaBuf>>& buffers_;
};

namespace {

uint32_t command_buffer_count(const VkSubmitInfo& batch) {
    return batch.commandBufferCount;
}
uint32_t command_buffer_count(const VkSubmitInfo2& batch) {
    return batch.commandBufferInfoCount;
}
VkCommandBuffer command_buffer(const VkSubmitInfo& batch, uint32_t index) {
    return batch.pCommandBuffers[index];
}
VkCommandBuffer command_buffer(const VkSubmitInfo2& batch, uint32_t index) {
    return batch.pCommandBufferInfos[index].commandBuffer;
}

} // namespace

QueueSubmitter::QueueSubmitter(const Device& device, VkQueue queue, const Recordings& recordings,
                               Timelines& timelines, const ExportableFences& exportable_fences)
    : device_(device), queue_(queue), recordings_(recordings), timelines_(timelines),
      exportable_fences_(exportable_fences),
      source_(make_source(device.source.kind, device.calls())), acquirer_(device) {}

VkResult QueueSubmitter::submit(std::span<const VkSubmitInfo> batches, VkFence fence) {
    return submit_any(batches, fence);
}

VkResult QueueSubmitter::submit2(std::span<const VkSubmitInfo2> batches, VkFence fence) {
    return submit_any(batches, fence);
}

template<typename Batch>
VkResult QueueSubmitter::submit_any(std::span<const Batch> batches, VkFence fence) {
    if (recordings_.empty() && !timelines_.any()) {
        return call_next(batches, fence);
    }
    std::vector<ParkedRelease> resolved_parked;
    VkResult result = VK_SUCCESS;
    {
        const std::lock_guard guard(mutex_);
        result = bridge(batches, fence, resolved_parked);
    }
    complete_all(resolved_parked);
    return result;
}

VkResult QueueSubmitter::bind_sparse(std::span<const VkBindSparseInfo> batches, VkFence fence) {
    std::vector<ParkedRelease> resolved_parked;
    VkResult result = VK_SUCCESS;
    {
        const std::lock_guard guard(mutex_);
        points_.clear();
        if (timelines_.any()) {
            timelines_.collect(batches, points_);
        }
        timelines_.submitting(points_);
        result = device_.next.QueueBindSparse(queue_, static_cast<uint32_t>(batches.size()),
                                              batches.data(), fence);
        if (result == VK_SUCCESS) {
            resolved_parked = timelines_.submitted(this, points_, std::nullopt);
        } else {
            timelines_.not_submitted(points_);
        }
    }
    complete_all(resolved_parked);
    return result;
}

/// Called with the lock held.
template<typename Batch>
VkResult QueueSubmitter::bridge(std::span<const Batch> batches, VkFence fence,
                                std::vector<ParkedRelease>& resolved_parked) {
    // Behind another unresolved submit the queue cannot become idle: then the debt stays.
    if (owes_wait_ && timelines_.is_resolved(this, {})) {
        owes_wait_ = false;
        wait_for_queue("a parked release got no fence");
    }
    points_.clear();
    if (timelines_.any()) {
        timelines_.collect(batches, points_);
    }
    const bool has_hand_offs = make_plans(batches);
    if (!has_hand_offs) {
        timelines_.submitting(points_);
        const VkResult result = call_next(batches, fence);
        if (result == VK_SUCCESS) {
            resolved_parked = timelines_.submitted(this, points_, std::nullopt);
        } else {
            timelines_.not_submitted(points_);
        }
        return result;
    }

    arena_.reset();
    const BufferLocks locks(plans(), releases_, locked_);
    const bool resolved = timelines_.is_resolved(this, points_.waits);
    timelines_.submitting(points_);
    Signalling signalling{.ticket = std::nullopt, .slot = fence};
    VkResult result = VK_SUCCESS;
    try {
        // Waiting for a peer on the CPU comes first of all: nothing of this submit is in the kernel
        // yet.
        for (BatchPlan& plan : plans()) {
            plan.wait = acquirer_.acquire(plan.acquires, can_patch(batches[plan.batch]));
        }
        prepare_signalling(batches, resolved, signalling);
        result =
            call_next(std::span(patched(batches, signalling), batches.size()), signalling.slot);
    } catch (const std::bad_alloc&) {
        // Falls to the undo: the submit was not made.
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (result != VK_SUCCESS) {
        undo(signalling);
        timelines_.not_submitted(points_);
        return result;
    }

    // The work is in the kernel: from here on nothing may fail the call.
    try {
        const uint64_t submit = ++last_submit_;
        for (const BatchPlan& plan : plans()) {
            if (plan.wait != VK_NULL_HANDLE) {
                // The ticket covers the batches up to the one that signals it; what a later one
                // waits for is over for sure with the next submit's.
                const bool is_covered = signalling.trailing || plan.batch <= signalling.batch;
                acquirer_.semaphores.submitted(plan.wait, is_covered ? submit : submit + 1);
            }
        }
        std::optional<ParkedRelease> parked;
        if (!signalling.ticket) {
            if (!releases_.empty()) {
                wait_for_queue("no memory for a fence source's objects");
            }
        } else if (signalling.trailing && !submit_trailing(*signalling.ticket)) {
            source_->abandon(*signalling.ticket);
            wait_for_queue("the trailing submit failed");
        } else if (resolved) {
            if (!release(*signalling.ticket, releases_, submit, &signalling.displaced)) {
                wait_for_queue("the fence source failed");
            }
        } else {
            count(device_.counters.parked);
            parked = ParkedRelease{this, submit, *signalling.ticket, releases_};
        }
        resolved_parked = timelines_.submitted(this, points_, std::move(parked));
    } catch (const std::bad_alloc&) {
        wait_for_queue("out of memory after the submit");
        if (signalling.displaced != VK_NULL_HANDLE) {
            hand_on(signalling.displaced, {.state = Completion::State::Done, .sync_file = {}});
        }
    }
    return result;
}

/// Fills plans_ and releases_ from what the batches' command buffers have recorded. False where
/// there is nothing to do.
template<typename Batch>
bool QueueSubmitter::make_plans(std::span<const Batch> batches) {
    plan_count_ = 0;
    releases_.clear();
    if (recordings_.empty()) {
        return false;
    }
    for (size_t i = 0; i < batches.size(); ++i) {
        for (uint32_t c = 0; c < command_buffer_count(batches[i]); ++c) {
            recordings_.visit(command_buffer(batches[i], c), [&](const auto& hand_offs) {
                BatchPlan& plan = plan_for(i);
                for (const HandOff& hand_off : hand_offs) {
                    if (hand_off.direction == Direction::Acquire) {
                        merge(plan.acquires, hand_off);
                    } else {
                        merge(releases_, hand_off);
                        plan.has_releases = true;
                    }
                }
            });
        }
    }
    return plan_count_ != 0;
}

QueueSubmitter::BatchPlan& QueueSubmitter::plan_for(size_t batch) {
    if (plan_count_ != 0 && plans_[plan_count_ - 1].batch == batch) {
        return plans_[plan_count_ - 1];
    }
    if (plan_count_ == plans_.size()) {
        plans_.emplace_back();
    }
    BatchPlan& plan = plans_[plan_count_++];
    plan.batch = batch;
    plan.acquires.clear();
    plan.wait = VK_NULL_HANDLE;
    plan.has_releases = false;
    return plan;
}

/// Asks the source for what shall be signalled, and finds a place for it in this submit, whose slot
/// has the application's fence so far.
template<typename Batch>
void QueueSubmitter::prepare_signalling(std::span<const Batch> batches, bool resolved,
                                        Signalling& signalling) {
    if (releases_.empty() && !acquirer_.semaphores.wants_completion()) {
        return;
    }
    const VkFence application_fence = signalling.slot;
    // A fence, or a submit of its own, covers all.
    signalling.batch = batches.size() - 1;
    // A parked release outlives this call; what the application does with its fence then is its own
    // business, so only an immediate one may lean on it.
    signalling.ticket = source_->begin(resolved ? application_fence : VK_NULL_HANDLE);
    if (!signalling.ticket) {
        return;
    }
    if (signalling.ticket->signal != VK_NULL_HANDLE) {
        for (const BatchPlan& plan : plans()) {
            if (plan.has_releases) {
                signalling.batch = plan.batch;
            }
        }
        signalling.trailing = !can_patch(batches[signalling.batch]);
        return;
    }
    if (signalling.ticket->fence_is_borrowed || application_fence == VK_NULL_HANDLE) {
        signalling.slot = signalling.ticket->fence;
        return;
    }
    // The slot is taken. The application's fence can get its payload from ours after the submit:
    // importing a sync_file is what it would see of another process's work. Fences that it may
    // export itself keep their own payload.
    const bool may_displace = resolved && device_.capabilities.fences.fence_import &&
                              !exportable_fences_.visit(application_fence, [](bool) {});
    if (may_displace) {
        signalling.slot = signalling.ticket->fence;
        signalling.displaced = application_fence;
    } else {
        signalling.trailing = true;
    }
}

/// The application's batches, or a copy with our semaphores in it where there are any.
template<typename Batch>
const Batch* QueueSubmitter::patched(std::span<const Batch> batches, const Signalling& signalling) {
    const VkSemaphore signal =
        signalling.ticket && !signalling.trailing ? signalling.ticket->signal : VK_NULL_HANDLE;
    const bool has_waits = std::any_of(plans().begin(), plans().end(), [](const BatchPlan& plan) {
        return plan.wait != VK_NULL_HANDLE;
    });
    if (signal == VK_NULL_HANDLE && !has_waits) {
        return batches.data();
    }
    Batch* const copies = arena_.copy(batches.data(), batches.size(), 0);
    for (const BatchPlan& plan : plans()) {
        if (plan.wait != VK_NULL_HANDLE) {
            patch(copies[plan.batch], plan.wait, VK_NULL_HANDLE, arena_);
        }
    }
    if (signal != VK_NULL_HANDLE) {
        patch(copies[signalling.batch], VK_NULL_HANDLE, signal, arena_);
    }
    return copies;
}

/// The submit failed: nothing was waited for, nothing will be signalled.
void QueueSubmitter::undo(const Signalling& signalling) {
    for (BatchPlan& plan : plans()) {
        if (plan.wait != VK_NULL_HANDLE) {
            acquirer_.semaphores.discard(plan.wait);
        }
    }
    if (signalling.ticket) {
        source_->abandon(*signalling.ticket);
    }
}

/// A submit of nothing but the ticket's signal, on the same queue, in the same call: it covers all
/// that the application's submit brought.
bool QueueSubmitter::submit_trailing(const Ticket& ticket) {
    count(device_.counters.trailing_submits);
    const VkSubmitInfo signal_only{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &ticket.signal,
    };
    const bool has_signal = ticket.signal != VK_NULL_HANDLE;
    return device_.next.QueueSubmit(queue_, has_signal ? 1 : 0, has_signal ? &signal_only : nullptr,
                                    ticket.fence) == VK_SUCCESS;
}

/// False where the source failed and the work may still run: the caller has to wait for it.
bool QueueSubmitter::release(const Ticket& ticket, std::span<const HandOff> releases,
                             uint64_t submit, VkFence* displaced) {
    const Completion completion = source_->take(ticket);
    count(device_.counters.releases, releases.size());
    switch (completion.state) {
    case Completion::State::Pending:
        for (const HandOff& hand_off : releases) {
            attach(hand_off, completion.sync_file);
        }
        acquirer_.semaphores.completes_with(submit, completion.sync_file);
        break;
    case Completion::State::Done:
        count(device_.counters.releases_done, releases.size());
        if (completion.error != VK_SUCCESS) {
            static Once once;
            count(device_.counters.fallbacks);
            if (once.first()) {
                log(LogLevel::Warn, "fence source %s failed (%d): the CPU waited for the work",
                    name(source_->kind()), static_cast<int>(completion.error));
            }
        }
        acquirer_.semaphores.completed(submit);
        break;
    case Completion::State::Failed:
        break;
    }
    if (displaced != nullptr && *displaced != VK_NULL_HANDLE) {
        hand_on(*displaced, completion);
        *displaced = VK_NULL_HANDLE;
    }
    return completion.state != Completion::State::Failed;
}

/// The one line that all of this is for.
void QueueSubmitter::attach(const HandOff& hand_off, const UniqueFd& sync_file) {
    const auto buffer = hand_off.memory->dma_buf();
    const int error = buffer ? buffer->attach_fence(sync_file.get(), hand_off.access) : EBADF;
    if (buffer && error == 0) {
        count(device_.counters.fences_attached);
        log(LogLevel::Debug, "release: %s fence on dma-buf %llu", name(hand_off.access),
            static_cast<unsigned long long>(buffer->inode()));
        return;
    }
    static Once once;
    count(device_.counters.fallbacks);
    if (once.first()) {
        log(LogLevel::Warn, "cannot attach a fence to a dma-buf (%s): the CPU waits for the work",
            error_text(error));
    }
    wait_sync_file(sync_file.get(), std::chrono::milliseconds(-1));
}

/// Gives the application's fence what it would have had: it signals when the work is done.
void QueueSubmitter::hand_on(VkFence application_fence, const Completion& completion) {
    UniqueFd payload;
    if (completion.state == Completion::State::Pending) {
        payload = UniqueFd::duplicate(completion.sync_file.get());
    }
    // -1 is the SYNC_FD of what has signalled already.
    if (payload || completion.state == Completion::State::Done) {
        const VkImportFenceFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
            .fence = application_fence,
            .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
            .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
            .fd = payload.get(),
        };
        if (device_.next.ImportFenceFdKHR(device_.handle, &info) == VK_SUCCESS) {
            (void)payload.release();
            return;
        }
    }
    count(device_.counters.fallbacks);
    count(device_.counters.trailing_submits);
    device_.next.QueueSubmit(queue_, 0, nullptr, application_fence);
}

/// The last resort of the call in progress: this queue is the application's to wait on here.
void QueueSubmitter::wait_for_queue(const char* why) {
    static Once once;
    count(device_.counters.fallbacks);
    if (once.first()) {
        log(LogLevel::Warn, "%s: the CPU waits for the queue", why);
    }
    if (device_.next.QueueWaitIdle(queue_) == VK_SUCCESS) {
        // With those that were left to the next submit.
        acquirer_.semaphores.completed(last_submit_ + 1);
    }
}

void QueueSubmitter::complete(const ParkedRelease& parked) {
    const std::lock_guard guard(mutex_);
    const BufferLocks locks(std::span<const BatchPlan>{}, parked.releases, locked_);
    if (!release(parked.ticket, parked.releases, parked.submit, nullptr)) {
        // This call is not the queue's own, and only the application may say when to wait on its
        // queue: the queue's next submit does it first of all.
        owes_wait_ = true;
        count(device_.counters.fallbacks);
        log(LogLevel::Warn, "a parked release got no fence: its queue's next submit waits for it");
    }
}

VkResult QueueSubmitter::call_next(std::span<const VkSubmitInfo> batches, VkFence fence) {
    return device_.next.QueueSubmit(queue_, static_cast<uint32_t>(batches.size()), batches.data(),
                                    fence);
}

VkResult QueueSubmitter::call_next(std::span<const VkSubmitInfo2> batches, VkFence fence) {
    const auto next = device_.next.QueueSubmit2 != nullptr ? device_.next.QueueSubmit2
                                                           : device_.next.QueueSubmit2KHR;
    return next(queue_, static_cast<uint32_t>(batches.size()), batches.data(), fence);
}

void complete_all(std::span<const ParkedRelease> parked) {
    for (const ParkedRelease& release : parked) {
        release.submitter->complete(release);
    }
}

} // namespace fencebridge
