// Acquire by thread: timeline values that a thread of ours signals when a peer's fences have.
#pragma once

#include "fence/device_calls.hpp"
#include "fence/own_timeline.hpp"
#include "fence/semaphore_point.hpp"
#include "fence/unique_fd.hpp"
#include "fence/worker.hpp"

#include <chrono>
#include <functional>

namespace fencebridge {

/// For drivers that do not import a SYNC_FD, or that wait for it on the CPU when they do. One per
/// queue; after() is called by one thread at a time. Values are signalled in their order, so a
/// batch never starts before the peers of an earlier batch of its queue are done.
class HostSignals {
public:
    /// Called on the thread when a value was signalled.
    using Signalled = std::function<void(const SemaphorePoint&)>;

    /// `timeout`: how long a peer is waited for before its value is signalled all the same, with a
    /// line in the log.
    HostSignals(DeviceCalls calls, std::chrono::milliseconds timeout, Signalled signalled);
    ~HostSignals() { stop(); }
    HostSignals(const HostSignals&) = delete;
    HostSignals& operator=(const HostSignals&) = delete;

    /// Our timeline, made on first use; null where the driver is out of memory.
    VkSemaphore timeline() { return timeline_.make() ? timeline_.handle() : VK_NULL_HANDLE; }

    /// The point that will be signalled when `sync_file` has. Empty where there is no memory or no
    /// thread; `sync_file` is then still the caller's, else it is taken.
    SemaphorePoint after(UniqueFd& sync_file);

    /// Signals all that is asked for so far, and ends the thread.
    void stop() { worker_.stop(); }

private:
    struct Job {
        UniqueFd sync_file;
        SemaphorePoint point;
    };
    void do_job(const Job& job);

    DeviceCalls calls_;
    const std::chrono::milliseconds timeout_;
    const Signalled signalled_;
    OwnTimeline timeline_;
    Worker<Job> worker_;
};

} // namespace fencebridge
