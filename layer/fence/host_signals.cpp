#include "fence/host_signals.hpp"

#include "fence/sync_file.hpp"
#include "report/log.hpp"

#include <exception>

namespace fencebridge {

HostSignals::HostSignals(DeviceCalls calls, std::chrono::milliseconds timeout, Signalled signalled)
    : calls_(calls), timeout_(timeout), signalled_(std::move(signalled)),
      worker_([this](Job& job) { do_job(job); }) {}

HostSignals::~HostSignals() {
    worker_.stop();
    if (timeline_ != VK_NULL_HANDLE) {
        calls_.next->DestroySemaphore(calls_.device, timeline_, nullptr);
    }
}

VkSemaphore HostSignals::timeline() {
    if (timeline_ == VK_NULL_HANDLE) {
        const VkSemaphoreTypeCreateInfo type{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
        };
        const VkSemaphoreCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
            .pNext = &type,
        };
        if (calls_.next->CreateSemaphore(calls_.device, &info, nullptr, &timeline_) != VK_SUCCESS) {
            timeline_ = VK_NULL_HANDLE;
        }
    }
    return timeline_;
}

SemaphorePoint HostSignals::after(UniqueFd& sync_file) {
    if (timeline() == VK_NULL_HANDLE) {
        return {};
    }
    UniqueFd own = UniqueFd::duplicate(sync_file.get());
    if (!own) {
        return {};
    }
    try {
        worker_.add({.sync_file = std::move(own), .value = last_value_ + 1});
    } catch (const std::exception&) {
        return {};
    }
    sync_file.reset();
    return {timeline_, ++last_value_};
}

/// On the thread.
void HostSignals::do_job(const Job& job) {
    if (wait_sync_file(job.sync_file.get(), timeout_) != SyncWait::Signalled) {
        log(LogLevel::Warn, "a peer's fence has not signalled in %lld ms: going on without it",
            static_cast<long long>(timeout_.count()));
    }
    const VkSemaphoreSignalInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
        .semaphore = timeline_,
        .value = job.value,
    };
    // It fails with a lost device only, and then nobody waits any more.
    (void)calls_.next->SignalSemaphore(calls_.device, &info);
    signalled_({timeline_, job.value});
}

} // namespace fencebridge
