#include "handoff/acquirer.hpp"

#include "handoff/queue_submitter.hpp"
#include "report/log.hpp"

#include <cerrno>

namespace fencebridge {

Acquirer::Acquirer(const Device& device, Timelines& timelines, HandOffTrace& trace)
    : semaphores(device.calls()), device_(device), timelines_(timelines), trace_(trace),
      host_signals_(device.calls(), device.instance->settings.acquire_timeout,
                    [&timelines](const SemaphorePoint& point) {
                        complete_all(timelines.signalled_by_thread(point));
                    }) {}

SemaphorePoint Acquirer::acquire(std::span<const HandOff> acquires, bool may_patch) {
    UniqueFd fences;
    for (const HandOff& hand_off : acquires) {
        UniqueFd more = pending_fences(hand_off);
        if (more && !merge_into(fences, more)) {
            trace_.settled_last(wait_on_cpu(more));
        }
    }
    if (!fences) {
        return {};
    }
    if (may_patch) {
        if (const SemaphorePoint wait = wait_in_batch(fences)) {
            trace_.settled(wait.value == 0 ? TraceOutcome::Imported : TraceOutcome::Thread);
            return wait;
        }
    }
    trace_.settled(wait_on_cpu(fences));
    return {};
}

/// Takes `sync_file` where there is a way to make the batch wait for it.
SemaphorePoint Acquirer::wait_in_batch(UniqueFd& sync_file) {
    switch (device_.acquire.method) {
    case AcquireMethod::Import:
        if (const VkSemaphore semaphore = semaphores.import(sync_file)) {
            count(device_.counters.waits_imported);
            return {semaphore};
        }
        return {};
    case AcquireMethod::Thread:
        if (!timeline_is_followed_) {
            const VkSemaphore timeline = host_signals_.timeline();
            if (timeline == VK_NULL_HANDLE) {
                return {};
            }
            timelines_.created(timeline, 0);
            timeline_is_followed_ = true;
        }
        if (const SemaphorePoint point = host_signals_.after(sync_file)) {
            count(device_.counters.waits_on_thread);
            return point;
        }
        return {};
    case AcquireMethod::Poll:
        break;
    }
    return {};
}

/// None where the buffer is idle for us already. Where the kernel does not give the fences out, the
/// CPU waits for them here and none is what is left.
UniqueFd Acquirer::pending_fences(const HandOff& hand_off) {
    count(device_.counters.acquires);
    const uint64_t before = trace_.now();
    const auto& buffer = hand_off.memory->dma_buf();
    if (!buffer) {
        trace_.acquired(hand_off, nullptr, TraceOutcome::Failed, before);
        static Once once;
        count(device_.counters.fallbacks);
        if (once.first()) {
            log(LogLevel::Warn,
                "an acquired memory cannot be exported as a dma-buf (%s): its "
                "peer's fences are unknown",
                error_text(errno));
        }
        return {};
    }
    if (buffer->is_idle(hand_off.access)) {
        count(device_.counters.acquires_idle);
        trace_.acquired(hand_off, buffer.get(), TraceOutcome::Idle, before);
        return {};
    }
    log(LogLevel::Debug, "acquire: dma-buf %llu is busy for a %s",
        static_cast<unsigned long long>(buffer->inode()), name(hand_off.access));
    UniqueFd fences = buffer->export_fences(hand_off.access);
    trace_.looked(hand_off, buffer.get(), before);
    if (fences) {
        return fences;
    }
    static Once once;
    count(device_.counters.fallbacks);
    if (once.first()) {
        log(LogLevel::Warn, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE failed (%s): acquires wait on the CPU",
            error_text(errno));
    }
    count(device_.counters.waits_on_cpu);
    const bool is_idle =
        buffer->wait_idle(hand_off.access, device_.instance->settings.acquire_timeout) ==
        SyncWait::Signalled;
    trace_.settled_last(is_idle ? TraceOutcome::CpuWait : TraceOutcome::TimedOut);
    if (!is_idle) {
        log(LogLevel::Warn, "a peer has not finished with dma-buf %llu: going on without it",
            static_cast<unsigned long long>(buffer->inode()));
    }
    return {};
}

/// What becomes of the acquires that it stands for.
TraceOutcome Acquirer::wait_on_cpu(const UniqueFd& sync_file) {
    count(device_.counters.waits_on_cpu);
    const auto timeout = device_.instance->settings.acquire_timeout;
    if (wait_sync_file(sync_file.get(), timeout) == SyncWait::Signalled) {
        return TraceOutcome::CpuWait;
    }
    log(LogLevel::Warn, "a peer's fence has not signalled in %lld ms: going on without it",
        static_cast<long long>(timeout.count()));
    return TraceOutcome::TimedOut;
}

} // namespace fencebridge
