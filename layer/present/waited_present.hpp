// Presents on a driver's own swapchain, for which the CPU waits.
#pragma once

#include "fence/device_calls.hpp"
#include "fence/fence_pool.hpp"
#include "present/relay_semaphores.hpp"

#include <vulkan/vulkan_core.h>

#include <mutex>

namespace fencebridge {

/// The setting `present=wait`: for drivers that neither bridge their swapchain nor let us own one.
/// One per swapchain.
class WaitedPresent {
public:
    explicit WaitedPresent(DeviceCalls calls)
        : calls_(calls), fences_(calls, FencePool::Kind::Plain), relays_(calls) {}
    WaitedPresent(const WaitedPresent&) = delete;
    WaitedPresent& operator=(const WaitedPresent&) = delete;

    /// Waits on the CPU for the work behind `info`'s semaphores, and presents, on `image` of this
    /// swapchain, behind one of ours: some drivers mistake a present that waits for nothing.
    VkResult present(VkQueue queue, const VkPresentInfoKHR& info, uint32_t image);

private:
    DeviceCalls calls_;
    std::mutex mutex_;
    FencePool fences_;
    RelaySemaphores relays_;
};

} // namespace fencebridge
