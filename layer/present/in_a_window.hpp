// What swapchains of ours can be in a window, of whatever window system.
#pragma once

#include <vulkan/vulkan_core.h>

#include <span>

namespace fencebridge {

/// Why no window shows such a swapchain of ours (colours, turning, scaling, layers); null where one
/// may.
const char* not_in_a_window(const VkSwapchainCreateInfoKHR& info);

/// All modes that its presents may name, its own among them. As long as `info` is there.
std::span<const VkPresentModeKHR> present_modes(const VkSwapchainCreateInfoKHR& info);

} // namespace fencebridge
