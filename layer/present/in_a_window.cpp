#include "present/in_a_window.hpp"

#include "dispatch/chain.hpp"

namespace fencebridge {

const char* not_in_a_window(const VkSwapchainCreateInfoKHR& info) {
    if (info.imageColorSpace != VK_COLOR_SPACE_SRGB_NONLINEAR_KHR &&
        info.imageColorSpace != VK_COLOR_SPACE_PASS_THROUGH_EXT) {
        return "its colour space is not sRGB";
    }
    if (info.preTransform != VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR &&
        info.preTransform != VK_SURFACE_TRANSFORM_INHERIT_BIT_KHR) {
        return "its images are turned";
    }
    if (info.imageArrayLayers != 1) {
        return "its images have layers";
    }
    const auto* scaling = find_in_chain<VkSwapchainPresentScalingCreateInfoEXT>(
        info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_SCALING_CREATE_INFO_EXT);
    if (scaling != nullptr && scaling->scalingBehavior != 0 &&
        scaling->scalingBehavior != VK_PRESENT_SCALING_ONE_TO_ONE_BIT_EXT) {
        return "its images are scaled";
    }
    return nullptr;
}

std::span<const VkPresentModeKHR> present_modes(const VkSwapchainCreateInfoKHR& info) {
    const auto* modes = find_in_chain<VkSwapchainPresentModesCreateInfoEXT>(
        info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT);
    if (modes == nullptr || modes->presentModeCount == 0) {
        return {&info.presentMode, 1};
    }
    return {modes->pPresentModes, modes->presentModeCount};
}

} // namespace fencebridge
