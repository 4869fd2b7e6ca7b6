#include "support/headless_swapchain.hpp"

#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>

namespace fencebridge::test {

ContextOptions with_headless_swapchain(ContextOptions options) {
    options.instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                   VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME};
    options.device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME};
    return options;
}

HeadlessSwapchain::HeadlessSwapchain(const VulkanContext& context, Extent its_extent,
                                     VkImageUsageFlags its_usage)
    : extent(its_extent), usage(its_usage), context_(context), acquired_(context) {
    const VkHeadlessSurfaceCreateInfoEXT surface_info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    const auto create_surface = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
        vkGetInstanceProcAddr(context.instance, "vkCreateHeadlessSurfaceEXT"));
    FB_VK(create_surface(context.instance, &surface_info, nullptr, &surface_));
    VkBool32 is_supported = VK_FALSE;
    FB_VK(
        vkGetPhysicalDeviceSurfaceSupportKHR(context.physical_device, 0, surface_, &is_supported));
    VkSurfaceCapabilitiesKHR capabilities{};
    FB_VK(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface_,
                                                    &capabilities));
    if (is_supported == VK_FALSE) {
        std::fprintf(stderr, "queue family 0 does not present to a headless surface\n");
        std::abort();
    }
    const VkSwapchainCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .surface = surface_,
        .minImageCount = capabilities.minImageCount,
        .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
        .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
        .imageExtent = {extent.width, extent.height},
        .imageArrayLayers = 1,
        .imageUsage = usage,
        .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = VK_PRESENT_MODE_FIFO_KHR,
    };
    FB_VK(vkCreateSwapchainKHR(context.device, &info, nullptr, &handle));
    uint32_t count = 0;
    FB_VK(vkGetSwapchainImagesKHR(context.device, handle, &count, nullptr));
    images.resize(count);
    FB_VK(vkGetSwapchainImagesKHR(context.device, handle, &count, images.data()));
    for (uint32_t i = 0; i < count; ++i) {
        drawn_.emplace_back(context);
    }
}

HeadlessSwapchain::~HeadlessSwapchain() {
    vkDestroySwapchainKHR(context_.device, handle, nullptr);
    vkDestroySurfaceKHR(context_.instance, surface_, nullptr);
}

uint32_t HeadlessSwapchain::acquire() const {
    uint32_t index = 0;
    FB_VK(vkAcquireNextImageKHR(context_.device, handle, UINT64_MAX, VK_NULL_HANDLE,
                                acquired_.handle, &index));
    FB_VK(acquired_.wait());
    acquired_.reset();
    return index;
}

void HeadlessSwapchain::present(const CommandBuffer& commands, uint32_t index, VkFence drawn,
                                const void* present_chain) const {
    const VkSemaphore behind_drawing = drawn_.at(index).handle;
    FB_VK(submit(context_.queue, commands, drawn, {.signal = behind_drawing}));
    const VkPresentInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .pNext = present_chain,
        .waitSemaphoreCount = 1,
        .pWaitSemaphores = &behind_drawing,
        .swapchainCount = 1,
        .pSwapchains = &handle,
        .pImageIndices = &index,
    };
    FB_VK(vkQueuePresentKHR(context_.queue, &info));
}

} // namespace fencebridge::test
