// Acquires: what peers left on a buffer becomes a wait of the batch that takes it back.
#pragma once

#include "dispatch/device.hpp"
#include "fence/host_signals.hpp"
#include "fence/semaphore_point.hpp"
#include "fence/wait_semaphores.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/hand_off_trace.hpp"
#include "handoff/timelines.hpp"

#include <vulkan/vulkan_core.h>

#include <span>

namespace fencebridge {

/// One per queue. Not thread-safe; the queue's submitter serialises calls.
class Acquirer {
public:
    /// All are borrowed and outlive the acquirer. `timelines` learns of the values that a thread
    /// of ours signals: work behind them is not resolved before.
    Acquirer(const Device& device, Timelines& timelines, HandOffTrace& trace);

    /// Takes the fences that peers left on the buffers of one batch's acquires, merged into one.
    /// Returns what the batch must wait for. Empty where there is nothing to wait for, and where
    /// the CPU has waited here instead: the batch cannot be added to (`may_patch`), the driver or
    /// the kernel does not let us, or the setting says so. Such a wait is at most the setting
    /// acquire_timeout_ms long.
    SemaphorePoint acquire(std::span<const HandOff> acquires, bool may_patch);

    /// Ends the thread, once all that it waits for has come. Nothing is acquired after it.
    void stop() { host_signals_.stop(); }

    /// Those in use, to be told what became of the submit.
    WaitSemaphores semaphores;

private:
    UniqueFd pending_fences(const HandOff& hand_off);
    SemaphorePoint wait_in_batch(UniqueFd& sync_file);
    TraceOutcome wait_on_cpu(const UniqueFd& sync_file);

    const Device& device_;
    Timelines& timelines_;
    HandOffTrace& trace_;
    HostSignals host_signals_;
    bool timeline_is_followed_ = false;
};

} // namespace fencebridge
