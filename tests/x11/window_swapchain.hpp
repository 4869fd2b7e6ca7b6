// A swapchain in a window, whose calls may fail: windows change and go.
#pragma once

#include "support/vulkan_commands.hpp"

#include <deque>
#include <memory>
#include <vector>

namespace fencebridge::test {

/// B8G8R8A8 images that are cleared.
class WindowSwapchain {
public:
    /// `surface` is borrowed. Aborts where it cannot be made.
    WindowSwapchain(const VulkanContext& context, VkSurfaceKHR surface, Extent extent,
                    VkPresentModeKHR mode, VkSwapchainKHR old = VK_NULL_HANDLE);
    ~WindowSwapchain();
    WindowSwapchain(const WindowSwapchain&) = delete;
    WindowSwapchain& operator=(const WindowSwapchain&) = delete;

    VkSwapchainKHR handle = VK_NULL_HANDLE;
    std::vector<VkImage> images;

    /// As vkAcquireNextImageKHR, but for nothing being pending on the image when it returns.
    VkResult acquire(uint32_t& index, uint64_t timeout = UINT64_MAX) const;
    /// Clears the image, behind `work` where there is some, and presents it behind that. `drawn` is
    /// in the submit. `id`: of the present; 0: none.
    VkResult present(uint32_t index, const LongWork* work = nullptr, VkFence drawn = VK_NULL_HANDLE,
                     uint64_t id = 0);
    /// Both, without work. What either said, the worse first.
    VkResult show_frame(uint64_t id = 0);

private:
    const VulkanContext& context_;
    const Fence acquired_;
    struct Frame {
        explicit Frame(const VulkanContext& context) : commands(context), drawn(context) {}
        CommandBuffer commands;
        Semaphore drawn;
    };
    /// One for each image: free when it is acquired again.
    std::deque<Frame> frames_;
};

} // namespace fencebridge::test
