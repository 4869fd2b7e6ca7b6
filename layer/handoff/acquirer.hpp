// Acquires: what peers left on a buffer becomes a wait of the batch that takes it back.
#pragma once

#include "dispatch/device.hpp"
#include "fence/wait_semaphores.hpp"
#include "handoff/hand_off.hpp"

#include <vulkan/vulkan_core.h>

#include <span>

namespace fencebridge {

/// One per queue. Not thread-safe; the queue's submitter serialises calls.
class Acquirer {
public:
    /// `device` is borrowed and outlives the acquirer.
    explicit Acquirer(const Device& device) : semaphores(device.calls()), device_(device) {}

    /// Takes the fences that peers left on the buffers of one batch's acquires, merged into one.
    /// Returns the semaphore that the batch must wait on for them. Null where there is nothing to
    /// wait for, and where the CPU has waited here instead: the batch cannot be added to
    /// (`may_patch`), the driver or the kernel does not let us, or the setting says so. Such a wait
    /// is at most the setting acquire_timeout_ms long.
    VkSemaphore acquire(std::span<const HandOff> acquires, bool may_patch);

    /// Those in use, to be told what became of the submit.
    WaitSemaphores semaphores;

private:
    UniqueFd pending_fences(const HandOff& hand_off);
    void wait_on_cpu(const UniqueFd& sync_file);

    const Device& device_;
};

} // namespace fencebridge
