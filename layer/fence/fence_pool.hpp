// VkFences of our own, used again and again.
#pragma once

#include "fence/device_calls.hpp"

#include <vector>

namespace fencebridge {

/// Not thread-safe; the owner serialises calls. Fences that are out when it goes are their
/// holder's.
class FencePool {
public:
    enum class Kind : uint8_t { Plain, SyncFdExportable };

    FencePool(DeviceCalls calls, Kind kind) : calls_(calls), kind_(kind) {}
    ~FencePool();
    FencePool(const FencePool&) = delete;
    FencePool& operator=(const FencePool&) = delete;

    /// An unsignalled fence; null where the driver is out of memory. Throws std::bad_alloc.
    VkFence take();

    /// `fence` is unsignalled and no submit has it. Never throws: take() has made the room.
    void give_back(VkFence fence) { idle_.push_back(fence); }

private:
    DeviceCalls calls_;
    Kind kind_;
    std::vector<VkFence> idle_;
    size_t made_ = 0;
};

} // namespace fencebridge
