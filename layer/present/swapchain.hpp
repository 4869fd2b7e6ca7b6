// A swapchain of ours: images on dma-bufs, and who has which of them.
#pragma once

#include "dispatch/device.hpp"
#include "fence/unique_fd.hpp"
#include "handoff/bridge.hpp"
#include "present/present_order.hpp"
#include "present/presenter.hpp"
#include "present/surface.hpp"
#include "present/swapchain_image.hpp"

#include <vulkan/vulkan_core.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace fencebridge {

/// Thread-safe where Vulkan does not have the application serialise: presents of a queue, waits for
/// presents, and everything else may overlap. Kept alive by presents that are under way.
class Swapchain final : public ImageReleases {
public:
    /// `surface` is kept for the presenter. `device` and `bridge` outlive it.
    Swapchain(const Device& device, Bridge& bridge, std::shared_ptr<Surface> surface,
              std::unique_ptr<Presenter> presenter);
    ~Swapchain() override;
    Swapchain(const Swapchain&) = delete;
    Swapchain& operator=(const Swapchain&) = delete;

    /// Makes the images. VK_ERROR_FORMAT_NOT_SUPPORTED: the window system takes none that the
    /// driver makes. Where it fails destroy() clears what was made.
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

    /// vkQueuePresentKHR, before its submit; then show() or forget() follows.
    PresentOrder::Number expect(PresentRequest request) {
        return order_.expect(std::move(request));
    }
    /// The image's fence is on it: it is shown when its turn has come. What the window system said
    /// is found in status(). `in_its_call`: within the present's own vkQueuePresentKHR.
    void show(PresentOrder::Number number, bool in_its_call) noexcept;
    /// It was not submitted.
    void forget(PresentOrder::Number number) noexcept;

    /// The mode of presents that name none.
    VkPresentModeKHR mode() const { return mode_; }

    /// vkGetSwapchainStatusKHR; and what a present or an acquire that went well returns:
    /// VK_SUCCESS, VK_SUBOPTIMAL_KHR, VK_ERROR_OUT_OF_DATE_KHR or VK_ERROR_SURFACE_LOST_KHR.
    VkResult status() const;

    /// vkWaitForPresentKHR: until the present `id`, or a later one, is on the screen.
    VkResult wait_for_present(uint64_t id, uint64_t timeout);

    /// It was given as oldSwapchain: nothing more is acquired; what is acquired may be presented.
    void retire();
    /// A swapchain of the driver's takes over: what is acquired cannot be presented any more.
    void yield();

    void released(uint32_t image) noexcept override;

private:
    void describe(const VkSwapchainCreateInfoKHR& info);
    VkResult make_images(uint32_t count, std::span<const uint64_t> modifiers,
                         const VkAllocationCallbacks* allocator);
    void destroy_images(const VkAllocationCallbacks* allocator);
    VkResult take_idle(uint32_t* index);
    void heard(VkResult result);
    VkResult listen(Deadline deadline);
    void show_now(const PresentRequest& request) noexcept;
    VkResult signal(uint32_t index, VkSemaphore semaphore, VkFence fence);

    const Device& device_;
    Bridge& bridge_;
    const std::shared_ptr<Surface> surface_;
    VkPresentModeKHR mode_ = VK_PRESENT_MODE_FIFO_KHR;
    ImageParameters parameters_;
    std::vector<uint32_t> families_; ///< those of parameters_.info
    std::unique_ptr<SwapchainImage[]> images_;
    uint32_t image_count_ = 0;

    mutable std::mutex mutex_;
    std::condition_variable changed_; ///< what was presented, or that nothing more will be
    std::deque<uint32_t> idle_;       ///< the one that was given back first is acquired first
    VkResult status_ = VK_SUCCESS;
    bool retired_ = false;
    /// The newest present with an id, and what signals when its work is done.
    uint64_t shown_id_ = 0;
    uint64_t done_id_ = 0; ///< the newest whose work is known to be done
    std::deque<std::pair<uint64_t, UniqueFd>> shown_;
    PresentOrder order_;

    /// The first to go: it reports what is about the rest.
    const std::unique_ptr<Presenter> presenter_;
};

} // namespace fencebridge
