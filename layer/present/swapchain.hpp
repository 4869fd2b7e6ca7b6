// A swapchain of ours: images on dma-bufs, and who has which of them.
#pragma once

#include "dispatch/device.hpp"
#include "fence/unique_fd.hpp"
#include "present/presenter.hpp"
#include "present/swapchain_image.hpp"

#include <vulkan/vulkan_core.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace fencebridge {

/// Thread-safe beyond Vulkan's own rules, as presenters report from threads of their own. Kept
/// alive by presents that are under way.
class Swapchain final : public ImageReleases {
public:
    Swapchain(const Device& device, std::unique_ptr<Presenter> presenter);
    ~Swapchain() override;
    Swapchain(const Swapchain&) = delete;
    Swapchain& operator=(const Swapchain&) = delete;

    /// Makes the images. Where it fails destroy() clears what was made.
    VkResult make(const VkSwapchainCreateInfoKHR& info, const VkAllocationCallbacks* allocator);
    /// vkDestroySwapchainKHR: the application has no image any more, and the presents' work is
    /// done.
    void destroy(const VkAllocationCallbacks* allocator);

    /// vkCreateImage with VkImageSwapchainCreateInfoKHR: one image more like those of the
    /// swapchain.
    VkResult make_alias(const VkAllocationCallbacks* allocator, VkImage* image) const;

    std::span<const SwapchainImage> images() const { return {images_.get(), image_count_}; }

    /// vkAcquireNextImageKHR: an image that the window system has given back. What is still pending
    /// on its dma-buf is waited for by `semaphore` and `fence` (either may be null), not here.
    /// `timeout`: nanoseconds; UINT64_MAX: for ever.
    VkResult acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence, uint32_t* index);

    /// vkReleaseSwapchainImagesKHR: acquired, and not presented.
    void give_back(std::span<const uint32_t> indices);

    /// vkQueuePresentKHR, once the image's fence is on it. `id`: of VkPresentIdKHR, or 0.
    void show(uint32_t index, uint64_t id) noexcept;

    /// vkWaitForPresentKHR: until the work of the present `id`, or of a later one, is done.
    VkResult wait_for_present(uint64_t id, uint64_t timeout);

    /// It was given as oldSwapchain: nothing more is acquired; what is acquired may be presented.
    void retire();

    void released(uint32_t image) noexcept override;

private:
    using Clock = std::chrono::steady_clock;
    VkResult signal(uint32_t index, VkSemaphore semaphore, VkFence fence);

    const Device& device_;
    const std::unique_ptr<Presenter> presenter_;
    ImageParameters parameters_;
    std::vector<uint32_t> families_; ///< those of parameters_.info
    std::unique_ptr<SwapchainImage[]> images_;
    uint32_t image_count_ = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<uint32_t> idle_; ///< the one that was given back first is acquired first
    bool retired_ = false;
    /// The newest present with an id, and what signals when its work is done.
    uint64_t shown_id_ = 0;
    std::deque<std::pair<uint64_t, UniqueFd>> shown_;
};

} // namespace fencebridge
