// What semaphores stand for, taken from them as sync_files.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/device_calls.hpp"
#include "fence/unique_fd.hpp"

#include <vulkan/vulkan_core.h>

#include <optional>
#include <span>

namespace fencebridge {

/// What the semaphore stands for; empty where it has signalled already. False where the driver
/// refuses. What holds for take_payloads() holds here.
bool export_payload(DeviceCalls calls, VkSemaphore semaphore, UniqueFd& payload);

/// One completion for all that these binary semaphores stand for. Each must be exportable as
/// SYNC_FD and have its signal submitted, with all that this depends on
/// (VUID-VkSemaphoreGetFdInfoKHR-handleType-03254). To the application they have been waited for
/// then: a SYNC_FD export has the side effects of a wait (Vulkan spec, "Importing and exporting
/// semaphore payloads"). None where the driver refuses: then all are as they were, each with its
/// payload back. The semaphores are the caller's to synchronise.
std::optional<Completion> take_payloads(DeviceCalls calls, std::span<const VkSemaphore> semaphores);

} // namespace fencebridge
