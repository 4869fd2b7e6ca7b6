// What a window system does for an owned swapchain.
#pragma once

#include "present/swapchain_image.hpp"

#include <vulkan/vulkan_core.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace fencebridge {

/// When a wait ends; none: never.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

/// Of a timeout in nanoseconds, as Vulkan gives them.
Deadline deadline_of(uint64_t timeout);

/// Waits for a condition until the deadline; whether it is met.
template<typename Condition>
bool wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                Deadline deadline, Condition&& is_met) {
    if (deadline) {
        return changed.wait_until(lock, *deadline, std::forward<Condition>(is_met));
    }
    changed.wait(lock, std::forward<Condition>(is_met));
    return true;
}

/// Told by a presenter from within its calls, on the caller's thread.
class ImageReleases {
public:
    virtual ~ImageReleases() = default;
    /// The window system has done with the image; fences of its reads may still be pending on the
    /// dma-buf.
    virtual void released(uint32_t image) noexcept = 0;
};

/// One image of one vkQueuePresentKHR.
struct PresentRequest {
    uint32_t image = 0;
    uint64_t id = 0; ///< VkPresentIdKHR's or VkPresentId2KHR's; 0: none
    VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;
    std::vector<VkRectLayerKHR> damage; ///< VkPresentRegionKHR; empty: all of it
    /// How long its turn is waited for (FIFO): no longer where the call is not the present's own.
    Deadline deadline;
};

/// One per swapchain. Where a call is said to be the swapchain's, Vulkan has the application
/// serialise it with the swapchain's others; but show() may overlap with them, in order and one at
/// a time (PresentOrder).
class Presenter {
public:
    virtual ~Presenter() = default;

    /// Of the DRM format modifiers with which the driver can make the images, those that the window
    /// system reads, in sets: the best set first. An empty set stands for linear images of no named
    /// modifier. No set: there is no way to show such images.
    virtual std::vector<std::vector<uint64_t>> modifier_sets(std::span<const uint64_t> usable) {
        return {{usable.begin(), usable.end()}};
    }

    /// At least how many images the window system needs for the mode.
    virtual uint32_t fewest_images(VkPresentModeKHR /*mode*/) const { return 1; }

    /// The swapchain's images, before anything else. They and `releases` outlive the presenter.
    /// False where the window system does not take them; then others may be tried.
    virtual bool take(std::span<const SwapchainImage> images, ImageReleases& releases) = 0;

    /// Gives the image to the window system. Its fence is on the dma-buf. VK_SUCCESS,
    /// VK_SUBOPTIMAL_KHR, VK_ERROR_OUT_OF_DATE_KHR or VK_ERROR_SURFACE_LOST_KHR.
    virtual VkResult show(const PresentRequest& request) noexcept = 0;

    /// Waits for a word of the window system and passes on what it says of images. VK_SUCCESS when
    /// there was one, VK_TIMEOUT, or an error as show()'s. The swapchain's.
    virtual VkResult listen(Deadline deadline) noexcept = 0;

    /// vkWaitForPresentKHR: until the present `id`, or a later one, is on the screen or was
    /// replaced before it came there. Its work is done. Any thread.
    virtual VkResult wait_until_shown(uint64_t /*id*/, Deadline /*deadline*/) noexcept {
        return VK_SUCCESS;
    }

    /// Another swapchain takes the surface over: only what was shown is still to be given back.
    virtual void retire() noexcept {}

    /// The driver's own swapchain takes the surface over: nothing more is shown, and what a surface
    /// has one of only is the driver's. The swapchain's.
    virtual void yield() noexcept {}
};

} // namespace fencebridge
