// A timeline semaphore of ours.
#pragma once

#include "fence/device_calls.hpp"
#include "fence/semaphore_point.hpp"

#include <cstdint>

namespace fencebridge {

/// Values are given out in their order. Not thread-safe, but for handle().
class OwnTimeline {
public:
    explicit OwnTimeline(DeviceCalls calls) : calls_(calls) {}
    ~OwnTimeline();
    OwnTimeline(const OwnTimeline&) = delete;
    OwnTimeline& operator=(const OwnTimeline&) = delete;

    /// Makes the semaphore, with the value 0, where there is none yet. False where the driver is
    /// out of memory. The device has the feature timelineSemaphore.
    bool make();

    /// Null before make().
    VkSemaphore handle() const { return semaphore_; }

    /// The point that the next advance() gives out.
    SemaphorePoint next() const { return {semaphore_, last_value_ + 1}; }
    SemaphorePoint advance() { return {semaphore_, ++last_value_}; }

private:
    DeviceCalls calls_;
    VkSemaphore semaphore_ = VK_NULL_HANDLE;
    uint64_t last_value_ = 0;
};

} // namespace fencebridge
