// A semaphore that a batch waits for or signals, with its value where it is a timeline.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>

namespace fencebridge {

struct SemaphorePoint {
    VkSemaphore semaphore = VK_NULL_HANDLE;
    uint64_t value = 0; ///< 0: a binary semaphore

    explicit operator bool() const { return semaphore != VK_NULL_HANDLE; }
};

} // namespace fencebridge
