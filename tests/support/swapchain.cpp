#include "support/swapchain.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fencebridge::test {

namespace {

/// VK_SUBOPTIMAL_KHR is good enough.
VkResult unless_suboptimal(VkResult result) {
    return result == VK_SUBOPTIMAL_KHR ? VK_SUCCESS : result;
}

} // namespace

TestSwapchain::TestSwapchain(const VulkanContext& context, VkSurfaceKHR surface,
                             const SwapchainOptions& options)
    : extent(options.extent), usage(options.usage), context_(context), acquired_(context) {
    VkBool32 is_supported = VK_FALSE;
    FB_VK(vkGetPhysicalDeviceSurfaceSupportKHR(context.physical_device, 0, surface, &is_supported));
    VkSurfaceCapabilitiesKHR capabilities{};
    FB_VK(
        vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface, &capabilities));
    if (is_supported == VK_FALSE) {
        std::fprintf(stderr, "queue family 0 does not present to the surface\n");
        std::abort();
    }
    const VkSwapchainCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .pNext = options.chain,
        .flags = options.flags,
        .surface = surface,
        .minImageCount = std::max(capabilities.minImageCount, options.fewest_images),
        .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
        .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
        .imageExtent = {extent.width, extent.height},
        .imageArrayLayers = 1,
        .imageUsage = usage,
        .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = options.mode,
        .oldSwapchain = options.old,
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

TestSwapchain::~TestSwapchain() {
    vkDestroySwapchainKHR(context_.device, handle, nullptr);
}

VkResult TestSwapchain::try_acquire(uint32_t& index, uint64_t timeout) const {
    const VkResult result = vkAcquireNextImageKHR(context_.device, handle, timeout, VK_NULL_HANDLE,
                                                  acquired_.handle, &index);
    if (unless_suboptimal(result) == VK_SUCCESS) {
        FB_VK(acquired_.wait());
        acquired_.reset();
    }
    return result;
}

uint32_t TestSwapchain::acquire() const {
    uint32_t index = 0;
    FB_VK(unless_suboptimal(try_acquire(index)));
    return index;
}

VkResult TestSwapchain::queue_present(uint32_t index, const void* chain, bool wait) const {
    const VkSemaphore behind_drawing = drawn(index);
    const VkPresentInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .pNext = chain,
        .waitSemaphoreCount = wait ? 1U : 0U,
        .pWaitSemaphores = &behind_drawing,
        .swapchainCount = 1,
        .pSwapchains = &handle,
        .pImageIndices = &index,
    };
    return vkQueuePresentKHR(context_.queue, &info);
}

VkResult TestSwapchain::try_present(const CommandBuffer& commands, uint32_t index, VkFence done,
                                    const void* present_chain, bool wait) const {
    FB_VK(submit(context_.queue, commands, done, {.signal = wait ? drawn(index) : VK_NULL_HANDLE}));
    return queue_present(index, present_chain, wait);
}

void TestSwapchain::present_drawn(uint32_t index) const {
    FB_VK(unless_suboptimal(queue_present(index, nullptr, true)));
}

void TestSwapchain::present(const CommandBuffer& commands, uint32_t index, VkFence done,
                            const void* present_chain) const {
    FB_VK(unless_suboptimal(try_present(commands, index, done, present_chain)));
}

} // namespace fencebridge::test
