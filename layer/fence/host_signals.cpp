#include "fence/host_signals.hpp"

#include "fence/sync_file.hpp"
#include "report/log.hpp"

#include <exception>

namespace fencebridge {

HostSignals::HostSignals(DeviceCalls calls, std::chrono::milliseconds timeout, Signalled signalled)
    : calls_(calls), timeout_(timeout), signalled_(std::move(signalled)), timeline_(calls),
      worker_([this](Job& job) { do_job(job); }) {}

SemaphorePoint HostSignals::after(UniqueFd& sync_file) {
    if (!timeline_.make()) {
        return {};
    }
    UniqueFd own = UniqueFd::duplicate(sync_file.get());
    if (!own) {
        return {};
    }
    try {
        worker_.add({.sync_file = std::move(own), .point = timeline_.next()});
    } catch (const std::exception&) {
        return {};
    }
    sync_file.reset();
    return timeline_.advance();
}

/// On the thread.
void HostSignals::do_job(const Job& job) {
    if (wait_sync_file(job.sync_file.get(), timeout_) != SyncWait::Signalled) {
        log(LogLevel::Warn, "a peer's fence has not signalled in %lld ms: going on without it",
            static_cast<long long>(timeout_.count()));
    }
    const VkSemaphoreSignalInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
        .semaphore = job.point.semaphore,
        .value = job.point.value,
    };
    // It fails with a lost device only, and then nobody waits any more.
    (void)calls_.next->SignalSemaphore(calls_.device, &info);
    signalled_(job.point);
}

} // namespace fencebridge
