// A swapchain as applications use one, on any surface.
#pragma once

#include "support/vulkan_commands.hpp"

#include <deque>
#include <vector>

namespace fencebridge::test {

struct SwapchainOptions {
    Extent extent;
    VkImageUsageFlags usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    VkPresentModeKHR mode = VK_PRESENT_MODE_FIFO_KHR;
    VkSwapchainKHR old = VK_NULL_HANDLE; ///< that it takes over from
    uint32_t fewest_images = 0;          ///< at least; the surface may want more
    VkSwapchainCreateFlagsKHR flags = 0;
    const void* chain = nullptr; ///< behind VkSwapchainCreateInfoKHR
};

/// B8G8R8A8 images on queue family 0. Failures abort, as those of a VulkanContext do, where a
/// function does not return them. The surface is the caller's.
class TestSwapchain {
public:
    TestSwapchain(const VulkanContext& context, VkSurfaceKHR surface,
                  const SwapchainOptions& options);
    ~TestSwapchain();
    TestSwapchain(const TestSwapchain&) = delete;
    TestSwapchain& operator=(const TestSwapchain&) = delete;

    const Extent extent;
    const VkImageUsageFlags usage;
    VkSwapchainKHR handle = VK_NULL_HANDLE;
    std::vector<VkImage> images;

    /// Waits until an image is the application's, and gives its index. VK_SUCCESS, or what the
    /// driver returned of remarks and bad news.
    VkResult try_acquire(uint32_t& index, uint64_t timeout = UINT64_MAX) const;
    /// The same; anything but VK_SUCCESS and VK_SUBOPTIMAL_KHR aborts.
    uint32_t acquire() const;

    /// Submits `commands`, with `done` in the submit, and presents the image when they are done;
    /// what the driver returned. `wait`: by a semaphore; else by the order of the queue alone.
    VkResult try_present(const CommandBuffer& commands, uint32_t index,
                         VkFence done = VK_NULL_HANDLE, const void* present_chain = nullptr,
                         bool wait = true) const;
    /// The same; anything but VK_SUCCESS and VK_SUBOPTIMAL_KHR aborts.
    void present(const CommandBuffer& commands, uint32_t index, VkFence done = VK_NULL_HANDLE,
                 const void* present_chain = nullptr) const;

    /// Presents an image whose drawing signals drawn(); anything but VK_SUCCESS and
    /// VK_SUBOPTIMAL_KHR aborts.
    void present_drawn(uint32_t index) const;

    /// Behind the drawing of an image: a present waits for it until the image is acquired again.
    VkSemaphore drawn(uint32_t index) const { return drawn_.at(index).handle; }

private:
    VkResult queue_present(uint32_t index, const void* chain, bool wait) const;

    const VulkanContext& context_;
    const Fence acquired_;
    std::deque<Semaphore> drawn_; ///< by image
};

} // namespace fencebridge::test
