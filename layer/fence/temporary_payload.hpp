// A sync_file as the temporary payload of a semaphore or fence (VK_KHR_external_semaphore_fd,
// VK_KHR_external_fence_fd: SYNC_FD).
#pragma once

#include "fence/device_calls.hpp"
#include "fence/unique_fd.hpp"

#include <vulkan/vulkan_core.h>

namespace fencebridge {

/// The next wait consumes the payload. An empty `sync_file` stands for what has signalled already.
/// On success the descriptor is the driver's; else it stays in `sync_file`. The object is the
/// caller's to synchronise.
VkResult import_into_semaphore(DeviceCalls calls, VkSemaphore semaphore, UniqueFd& sync_file);

/// The same for a fence, until it is reset.
VkResult import_into_fence(DeviceCalls calls, VkFence fence, UniqueFd& sync_file);

} // namespace fencebridge
