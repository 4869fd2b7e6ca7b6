// A swapchain on a surface that nobody looks at.
#pragma once

#include "support/vulkan_commands.hpp"

#include <deque>
#include <vector>

namespace fencebridge::test {

/// The options of a context with what it takes.
ContextOptions with_headless_swapchain(ContextOptions options = {});

/// B8G8R8A8 images. Failures abort, as those of a VulkanContext do.
class HeadlessSwapchain {
public:
    HeadlessSwapchain(const VulkanContext& context, Extent its_extent, VkImageUsageFlags its_usage);
    ~HeadlessSwapchain();
    HeadlessSwapchain(const HeadlessSwapchain&) = delete;
    HeadlessSwapchain& operator=(const HeadlessSwapchain&) = delete;

    const Extent extent;
    const VkImageUsageFlags usage;
    VkSwapchainKHR handle = VK_NULL_HANDLE;
    std::vector<VkImage> images;

    /// Waits until an image is the application's, and returns its index.
    uint32_t acquire() const;
    /// Submits `commands`, with `drawn` in the submit, and presents the image when they are done.
    void present(const CommandBuffer& commands, uint32_t index, VkFence drawn = VK_NULL_HANDLE,
                 const void* present_chain = nullptr) const;

private:
    const VulkanContext& context_;
    VkSurfaceKHR surface_ = VK_NULL_HANDLE;
    const Fence acquired_;
    /// One for each image: a present waits for it until the image is acquired again.
    std::deque<Semaphore> drawn_;
};

} // namespace fencebridge::test
