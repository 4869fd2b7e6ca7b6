#include "x11/window_swapchain.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>

namespace fencebridge::test {

WindowSwapchain::WindowSwapchain(const VulkanContext& context, VkSurfaceKHR surface, Extent extent,
                                 VkPresentModeKHR mode, VkSwapchainKHR old)
    : context_(context), acquired_(context) {
    VkBool32 is_supported = VK_FALSE;
    FB_VK(vkGetPhysicalDeviceSurfaceSupportKHR(context.physical_device, 0, surface, &is_supported));
    FB_VK(is_supported == VK_TRUE ? VK_SUCCESS : VK_ERROR_FEATURE_NOT_PRESENT);
    VkSurfaceCapabilitiesKHR capabilities{};
    FB_VK(
        vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface, &capabilities));
    const VkSwapchainCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .surface = surface,
        .minImageCount = capabilities.minImageCount,
        .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
        .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
        .imageExtent = {extent.width, extent.height},
        .imageArrayLayers = 1,
        .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
        .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = mode,
        .oldSwapchain = old,
    };
    FB_VK(vkCreateSwapchainKHR(context.device, &info, nullptr, &handle));
    uint32_t count = 0;
    FB_VK(vkGetSwapchainImagesKHR(context.device, handle, &count, nullptr));
    images.resize(count);
    FB_VK(vkGetSwapchainImagesKHR(context.device, handle, &count, images.data()));
    for (uint32_t i = 0; i < count; ++i) {
        frames_.emplace_back(context);
    }
}

WindowSwapchain::~WindowSwapchain() {
    vkQueueWaitIdle(context_.queue);
    vkDestroySwapchainKHR(context_.device, handle, nullptr);
}

VkResult WindowSwapchain::acquire(uint32_t& index, uint64_t timeout) const {
    const VkResult result = vkAcquireNextImageKHR(context_.device, handle, timeout, VK_NULL_HANDLE,
                                                  acquired_.handle, &index);
    if (result == VK_SUCCESS || result == VK_SUBOPTIMAL_KHR) {
        FB_VK(acquired_.wait());
        acquired_.reset();
    }
    return result;
}

VkResult WindowSwapchain::present(uint32_t index, const LongWork* work, VkFence drawn,
                                  uint64_t id) {
    Frame& frame = frames_.at(index);
    const VkClearColorValue colour = colour_of(0x40800000U + index * 60);
    VkImage image = images.at(index);
    frame.commands.begin();
    if (work != nullptr) {
        work->record(frame.commands, std::chrono::milliseconds(180));
    }
    frame.commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED,
                                 VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdClearColorImage(frame.commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                         &colour, 1, &whole_image);
    frame.commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                 VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    frame.commands.end();
    FB_VK(submit(context_.queue, frame.commands, drawn, {.signal = frame.drawn.handle}));
    const VkPresentIdKHR with_id{
        .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
        .swapchainCount = 1,
        .pPresentIds = &id,
    };
    const VkPresentInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .pNext = id != 0 ? &with_id : nullptr,
        .waitSemaphoreCount = 1,
        .pWaitSemaphores = &frame.drawn.handle,
        .swapchainCount = 1,
        .pSwapchains = &handle,
        .pImageIndices = &index,
    };
    return vkQueuePresentKHR(context_.queue, &info);
}

VkResult WindowSwapchain::show_frame(uint64_t id) {
    uint32_t index = 0;
    const VkResult acquired = acquire(index);
    if (acquired < 0) {
        return acquired;
    }
    const VkResult presented = present(index, nullptr, VK_NULL_HANDLE, id);
    return presented < 0 || acquired == VK_SUCCESS ? presented : acquired;
}

} // namespace fencebridge::test
