// VkFences of our own, used again and again.
#pragma once

#include "fence/device_calls.hpp"
#include "fence/handle_pool.hpp"

namespace fencebridge {

/// Not thread-safe; the owner serialises calls. A fence of a lost device is not given back.
class FencePool {
public:
    enum class Kind : uint8_t { Plain, SyncFdExportable };

    FencePool(DeviceCalls calls, Kind kind) : calls_(calls), kind_(kind) {}
    ~FencePool();
    FencePool(const FencePool&) = delete;
    FencePool& operator=(const FencePool&) = delete;

    /// An unsignalled fence; null where the driver is out of memory. Throws std::bad_alloc.
    VkFence take();

    /// `fence` is unsignalled and no submit has it.
    void give_back(VkFence fence) noexcept { fences_.give_back(fence); }

private:
    DeviceCalls calls_;
    Kind kind_;
    HandlePool<VkFence> fences_;
};

} // namespace fencebridge
