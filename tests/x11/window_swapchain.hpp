// A swapchain in a window, whose calls may fail: windows change and go.
#pragma once

#include "support/swapchain.hpp"

#include <deque>

namespace fencebridge::test {

/// Its images are cleared. `surface` is borrowed.
class WindowSwapchain : public TestSwapchain {
public:
    WindowSwapchain(const VulkanContext& context, VkSurfaceKHR surface, Extent its_extent,
                    VkPresentModeKHR mode, VkSwapchainKHR old = VK_NULL_HANDLE);
    ~WindowSwapchain();
    WindowSwapchain(const WindowSwapchain&) = delete;
    WindowSwapchain& operator=(const WindowSwapchain&) = delete;

    /// Clears the image, behind `work` of such a duration where there is some, and presents it
    /// behind that. `done` is in the submit. `id`: of the present; 0: none.
    VkResult clear_and_present(uint32_t index, VkFence done = VK_NULL_HANDLE, uint64_t id = 0,
                               const LongWork* work = nullptr,
                               std::chrono::milliseconds duration = {});
    /// Acquires before, without work. What either said, the worse first.
    VkResult show_frame(uint64_t id = 0);

private:
    const VulkanContext& context_;
    /// One for each image: free when it is acquired again.
    std::deque<CommandBuffer> commands_;
};

} // namespace fencebridge::test
