// Device features, added to on copies.
#pragma once

#include <vulkan/vulkan_core.h>

#include <memory>

namespace fencebridge {

/// The pNext chain of a VkDeviceCreateInfo with the feature timelineSemaphore on. Lives as long as
/// the call to vkCreateDevice.
class TimelineFeature {
public:
    /// `info` is the application's. `supported`: the physical device has the feature, by version or
    /// extension. Where the application has said no in a structure that cannot be copied (one that
    /// we do not know stands before it), its word holds.
    TimelineFeature(const VkDeviceCreateInfo& info, bool supported);
    ~TimelineFeature();
    TimelineFeature(const TimelineFeature&) = delete;
    TimelineFeature& operator=(const TimelineFeature&) = delete;

    /// The chain to pass on; the application's own where there is nothing to add.
    const void* chain() const { return chain_; }

    /// Whether the device made with it will have timeline semaphores, and whether that is our
    /// doing.
    bool enabled() const { return enabled_; }
    bool added() const { return added_; }

private:
    struct Copies;
    std::unique_ptr<Copies> copies_;
    const void* chain_;
    bool enabled_ = false;
    bool added_ = false;
};

} // namespace fencebridge
