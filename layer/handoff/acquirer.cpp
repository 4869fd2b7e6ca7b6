#include "handoff/acquirer.hpp"

#include "handoff/queue_submitter.hpp"
#include "report/log.hpp"

#include <cerrno>

namespace fencebridge {

Acquirer::Acquirer(const Device& device, Timelines& timelines)
    : semaphores(device.calls()), device_(device), timelines_(timelines),
      host_signals_(device.calls(), device.instance->settings.acquire_timeout,
                    [&timelines](const SemaphorePoint& point) {
                        complete_all(timelines.signalled_by_thread(point));
                    }) {}

SemaphorePoint Acquirer::acquire(std::span<const HandOff> acquires, bool may_patch) {
    UniqueFd fences;
    for (const HandOff& hand_off : acquires) {
        UniqueFd more = pending_fences(hand_off);
        if (more && !merge_into(fences, more)) {
            wait_on_cpu(more);
        }
    }
    if (!fences) {
        return {};
    }
    if (may_patch) {
        if (const SemaphorePoint wait = wait_in_batch(fences)) {
            return wait;
        }
    }
    wait_on_cpu(fences);
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
    const auto buffer = hand_off.memory->dma_buf();
    if (!buffer) {
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
        return {};
    }
    log(LogLevel::Debug, "acquire: dma-buf %llu is busy for a %s",
        static_cast<unsigned long long>(buffer->inode()), name(hand_off.access));
    if (UniqueFd fences = buffer->export_fences(hand_off.access)) {
        return fences;
    }
    static Once once;
    count(device_.counters.fallbacks);
    if (once.first()) {
        log(LogLevel::Warn, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE failed (%s): acquires wait on the CPU",
            error_text(errno));
    }
    count(device_.counters.waits_on_cpu);
    if (buffer->wait_idle(hand_off.access, device_.instance->settings.acquire_timeout) !=
        SyncWait::Signalled) {
        log(LogLevel::Warn, "a peer has not finished with dma-buf %llu: going on without it",
            static_cast<unsigned long long>(buffer->inode()));
    }
    return {};
}

void Acquirer::wait_on_cpu(const UniqueFd& sync_file) {
    count(device_.counters.waits_on_cpu);
    const auto timeout = device_.instance->settings.acquire_timeout;
    if (wait_sync_file(sync_file.get(), timeout) != SyncWait::Signalled) {
        log(LogLevel::Warn, "a peer's fence has not signalled in %lld ms: going on without it",
            static_cast<long long>(timeout.count()));
    }
}

} // namespace fencebridge
