// Device addresses of buffers: how memory-range barriers name them.
#pragma once

#include <vulkan/vulkan_core.h>

#include <atomic>
#include <map>
#include <mutex>

namespace fencebridge {

/// Thread-safe. Only buffers on shared memory are in it.
class DeviceAddresses {
public:
    /// vkGetBufferDeviceAddress gave `first` for a buffer of `size` bytes.
    void add(VkBuffer buffer, VkDeviceAddress first, VkDeviceSize size);
    void remove(VkBuffer buffer);

    /// The buffer at an address, or null.
    VkBuffer at(VkDeviceAddress address) const;

private:
    struct Range {
        VkBuffer buffer;
        VkDeviceSize size;
    };
    std::atomic<bool> any_ = false;
    mutable std::mutex mutex_;
    std::map<VkDeviceAddress, Range> by_first_;
};

} // namespace fencebridge
