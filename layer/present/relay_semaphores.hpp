// Binary semaphores between a submit of ours and a present of the driver's.
#pragma once

#include "fence/device_calls.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <map>
#include <mutex>

namespace fencebridge {

/// Of one swapchain of the driver's: one for each image, free again with the image. Thread-safe;
/// what is done with a semaphore is the presenting application's to serialise, as the swapchain is.
class RelaySemaphores {
public:
    explicit RelaySemaphores(DeviceCalls calls) : calls_(calls) {}
    ~RelaySemaphores();
    RelaySemaphores(const RelaySemaphores&) = delete;
    RelaySemaphores& operator=(const RelaySemaphores&) = delete;

    /// Null where the driver is out of memory.
    VkSemaphore of_image(uint32_t image);

private:
    const DeviceCalls calls_;
    std::mutex mutex_;
    std::map<uint32_t, VkSemaphore> semaphores_;
};

} // namespace fencebridge
