#include "handoff/releaser.hpp"

#include "fence/temporary_payload.hpp"
#include "report/log.hpp"

#include <cerrno>
#include <utility>

namespace fencebridge {

Releaser::Releaser(const Device& device, VkQueue queue, const ExportableFences& exportable_fences,
                   HandOffTrace& trace)
    : device_(device), queue_(queue), exportable_fences_(exportable_fences), trace_(trace),
      source_(
          make_source(device.source.kind, device.calls(), device.capabilities.fences.timelines)),
      vgem_(device.guard.on ? Vgem::open() : nullptr) {}

void Releaser::prepare(Signalling& signalling, bool resolved, bool may_patch) {
    const VkFence application_fence = signalling.slot;
    // A parked release outlives this call; what the application does with its fence then is its own
    // business, so only an immediate one may lean on it.
    signalling.ticket = source_->begin(resolved ? application_fence : VK_NULL_HANDLE);
    if (!signalling.ticket) {
        return;
    }
    if (signalling.ticket->signal) {
        signalling.trailing = !may_patch;
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
                              source_->can_stand_for_application_fence() &&
                              !exportable_fences_.visit(application_fence, [](bool) {});
    if (may_displace) {
        signalling.slot = signalling.ticket->fence;
        signalling.displaced = application_fence;
    } else {
        signalling.trailing = true;
    }
}

void Releaser::guard(Signalling& signalling, std::span<HandOff> releases) {
    if (!vgem_) {
        return;
    }
    const bool all = device_.instance->settings.guard == GuardSetting::On;
    ProxyFence proxy;
    for (HandOff& hand_off : releases) {
        if (!all && !hand_off.memory->peer_may_hold()) {
            continue;
        }
        const auto& buffer = hand_off.memory->dma_buf();
        if (!proxy) {
            proxy = source_->make_guard(*vgem_);
        }
        int error = EBADF;
        if (!proxy) {
            error = errno;
        } else if (buffer) {
            error = buffer->attach_fence(proxy.sync_file().get(), hand_off.access);
        }
        if (error == 0) {
            count(device_.counters.guarded);
            hand_off.is_guarded = true;
            continue;
        }
        // The release itself is not in danger: its own fence comes right after the submit.
        static Once once;
        count(device_.counters.fallbacks);
        if (once.first()) {
            log(LogLevel::Warn, "no guard fence (%s): a reader may see a short gap",
                error_text(error));
        }
    }
    signalling.guard = std::move(proxy);
}

bool Releaser::submit_trailing(const Ticket& ticket) {
    count(device_.counters.trailing_submits);
    const VkTimelineSemaphoreSubmitInfo value{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = &ticket.signal.value,
    };
    const VkSubmitInfo signal_only{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .pNext = ticket.signal.value != 0 ? &value : nullptr,
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &ticket.signal.semaphore,
    };
    const bool has_signal = static_cast<bool>(ticket.signal);
    return device_.next.QueueSubmit(queue_, has_signal ? 1 : 0, has_signal ? &signal_only : nullptr,
                                    ticket.fence) == VK_SUCCESS;
}

Completion Releaser::release(const Ticket& ticket, std::span<const HandOff> releases,
                             bool may_export, ProxyFence& guard) {
    aim_at(releases);
    const uint64_t before = trace_.now();
    Completion completion =
        may_export ? source_->take(ticket, targets_, guard) : source_->wait(ticket);
    const bool has_waited = completion.state == Completion::State::Done &&
                            (!may_export || completion.fallback != nullptr);
    trace_.took(has_waited ? SourceKind::Wait : source_->kind(), before);
    attach(completion, releases);
    if (completion.fallback != nullptr) {
        // A failed source's hand-off is counted where it is waited for.
        fell_back(completion.fallback, completion.state == Completion::State::Done);
    }
    return completion;
}

void Releaser::settle(Completion&& completion) noexcept {
    if (const char* const why = source_->attached(std::move(completion)); why != nullptr) {
        fell_back(why, true);
    }
}

void Releaser::fell_back(const char* why, bool is_done) noexcept {
    static Once once;
    count(device_.counters.fallbacks, is_done ? 1 : 0);
    if (once.first()) {
        log(LogLevel::Warn, "fence source %s: %s: the CPU waits for the work",
            name(source_->kind()), why);
    }
}

void Releaser::release(const Completion& completion, std::span<const HandOff> releases) {
    aim_at(releases);
    attach(completion, releases);
}

void Releaser::aim_at(std::span<const HandOff> releases) {
    targets_.clear();
    for (const HandOff& hand_off : releases) {
        targets_.push_back({hand_off.memory->dma_buf(), hand_off.access, hand_off.is_guarded});
    }
}

/// To all targets, one for each release, which are let go.
void Releaser::attach(const Completion& completion, std::span<const HandOff> releases) {
    count(device_.counters.releases, targets_.size());
    if (completion.state == Completion::State::Done) {
        count(device_.counters.releases_done, targets_.size());
    }
    bool is_settled = false;
    for (size_t i = 0; i < targets_.size(); ++i) {
        const DmaBuf* const buffer = targets_[i].buffer.get();
        switch (completion.state) {
        case Completion::State::Pending:
            if (!attach(targets_[i], completion, releases[i])) {
                // A source that signals its fence itself has to begin: it is waited for.
                if (!std::exchange(is_settled, true)) {
                    settle({.state = Completion::State::Pending, .sync_file = {}});
                }
                wait_sync_file(completion.sync_file.get(), std::chrono::milliseconds(-1));
                trace_.released(releases[i], buffer, TraceOutcome::CpuWait);
            }
            break;
        case Completion::State::Done:
            trace_.released(releases[i], buffer, TraceOutcome::Done);
            log(LogLevel::Debug, "release: no fence on dma-buf %llu: the work is done",
                buffer != nullptr ? static_cast<unsigned long long>(buffer->inode()) : 0ULL);
            break;
        case Completion::State::Failed:
            trace_.released(releases[i], buffer, TraceOutcome::Failed);
            break;
        }
    }
    targets_.clear();
}

/// The one line that all of this is for. False: there is no fence on the target.
bool Releaser::attach(const AttachTarget& target, const Completion& completion,
                      const HandOff& hand_off) {
    int error = EBADF;
    if (completion.is_guard && target.is_guarded) {
        error = 0;
    } else if (target.buffer) {
        error = target.buffer->attach_fence(completion.sync_file.get(), target.access);
    }
    if (error == 0) {
        count(device_.counters.fences_attached);
        trace_.released(hand_off, target.buffer.get(), TraceOutcome::Attached);
        log(LogLevel::Debug, "release: %s fence on dma-buf %llu", name(target.access),
            static_cast<unsigned long long>(target.buffer->inode()));
        return true;
    }
    static Once once;
    count(device_.counters.fallbacks);
    if (once.first()) {
        log(LogLevel::Warn, "cannot attach a fence to a dma-buf (%s): the CPU waits for the work",
            error_text(error));
    }
    return false;
}

bool Releaser::give_payload(VkFence application_fence, const Completion& completion) {
    UniqueFd payload;
    if (completion.state == Completion::State::Pending) {
        payload = UniqueFd::duplicate(completion.sync_file.get());
    }
    const bool has_payload = payload || completion.state == Completion::State::Done;
    return has_payload &&
           import_into_fence(device_.calls(), application_fence, payload) == VK_SUCCESS;
}

void Releaser::hand_on(VkFence application_fence, const Completion& completion) {
    if (give_payload(application_fence, completion)) {
        return;
    }
    count(device_.counters.fallbacks);
    count(device_.counters.trailing_submits);
    if (device_.next.QueueSubmit(queue_, 0, nullptr, application_fence) != VK_SUCCESS) {
        // Nothing else would signal it, and the application's call has succeeded.
        (void)device_.next.QueueWaitIdle(queue_);
        (void)give_payload(application_fence, {.state = Completion::State::Done, .sync_file = {}});
    }
}

} // namespace fencebridge
