// The application's batches, copied and added to.
#pragma once

#include "fence/semaphore_point.hpp"
#include "handoff/arena.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>

namespace fencebridge {

/// Whether a semaphore can be added to this batch without touching a structure that we do not know.
/// VkSubmitInfo keeps per-semaphore arrays in its pNext chain (timeline values, device indices):
/// they must grow with the semaphores, so everything up to the last of them must be copied.
/// VkSubmitInfo2 has all of it in VkSemaphoreSubmitInfo.
bool can_patch(const VkSubmitInfo& batch);
inline bool can_patch(const VkSubmitInfo2& /*batch*/) {
    return true;
}

/// Adds a wait, a signal, or both (empty: none) to `batch`, which is our copy of the application's;
/// what it points to is copied into `arena` first. The wait is for all commands of the batch.
/// can_patch() must hold.
void patch(VkSubmitInfo& batch, const SemaphorePoint& wait, const SemaphorePoint& signal,
           Arena& arena);
void patch(VkSubmitInfo2& batch, const SemaphorePoint& wait, const SemaphorePoint& signal,
           Arena& arena);

} // namespace fencebridge
