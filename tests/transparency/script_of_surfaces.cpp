// Surfaces and swapchains, on a surface that nobody looks at.
#include "transparency/application.hpp"

#include <array>

namespace fencebridge::test {

namespace {

void ask_about(Application& application, VkSurfaceKHR surface) {
    const VkPhysicalDevice device = application.physical_device;
    VkBool32 is_supported = VK_FALSE;
    FB_CALL(application, GetPhysicalDeviceSurfaceSupportKHR, device, 0, surface, &is_supported);
    VkSurfaceCapabilitiesKHR capabilities{};
    FB_CALL(application, GetPhysicalDeviceSurfaceCapabilitiesKHR, device, surface, &capabilities);
    const VkPhysicalDeviceSurfaceInfo2KHR info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR, .surface = surface};
    VkSurfaceCapabilities2KHR capabilities_2{.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR};
    FB_CALL(application, GetPhysicalDeviceSurfaceCapabilities2KHR, device, &info, &capabilities_2);
    VkSurfaceCapabilities2EXT counters{.sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_EXT};
    FB_CALL(application, GetPhysicalDeviceSurfaceCapabilities2EXT, device, surface, &counters);
    uint32_t count = 2;
    std::array<VkSurfaceFormatKHR, 2> formats{};
    FB_CALL(application, GetPhysicalDeviceSurfaceFormatsKHR, device, surface, &count,
            formats.data());
    count = 2;
    std::array<VkSurfaceFormat2KHR, 2> formats_2{};
    formats_2.fill({.sType = VK_STRUCTURE_TYPE_SURFACE_FORMAT_2_KHR});
    FB_CALL(application, GetPhysicalDeviceSurfaceFormats2KHR, device, &info, &count,
            formats_2.data());
    count = 8;
    std::array<VkPresentModeKHR, 8> modes{};
    FB_CALL(application, GetPhysicalDeviceSurfacePresentModesKHR, device, surface, &count,
            modes.data());
    count = 4;
    std::array<VkRect2D, 4> rectangles{};
    FB_CALL(application, GetPhysicalDevicePresentRectanglesKHR, device, surface, &count,
            rectangles.data());
    VkDeviceGroupPresentModeFlagsKHR group_modes = 0;
    FB_CALL(application, GetDeviceGroupSurfacePresentModesKHR, application.device, surface,
            &group_modes);
}

/// Acquires by both functions, and presents what it got.
void show_frames(Application& application, VkSwapchainKHR swapchain) {
    const VkFenceCreateInfo fence_info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    FB_CALL(application, CreateFence, application.device, &fence_info, nullptr, &fence);
    const VkSemaphoreCreateInfo semaphore_info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    FB_CALL(application, CreateSemaphore, application.device, &semaphore_info, nullptr, &semaphore);
    for (const bool second : {false, true}) {
        uint32_t index = 0;
        if (second) {
            const VkAcquireNextImageInfoKHR acquire{
                .sType = VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR,
                .swapchain = swapchain,
                .timeout = UINT64_MAX,
                .fence = fence,
                .deviceMask = 1};
            FB_CALL(application, AcquireNextImage2KHR, application.device, &acquire, &index);
        } else {
            FB_CALL(application, AcquireNextImageKHR, application.device, swapchain, UINT64_MAX,
                    VK_NULL_HANDLE, fence, &index);
        }
        FB_CALL(application, WaitForFences, application.device, 1, &fence, VK_TRUE, UINT64_MAX);
        FB_CALL(application, ResetFences, application.device, 1, &fence);
        const VkSubmitInfo drawn{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .signalSemaphoreCount = 1,
                                 .pSignalSemaphores = &semaphore};
        FB_CALL(application, QueueSubmit, application.queue, 1, &drawn, VK_NULL_HANDLE);
        const VkPresentInfoKHR present{.sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
                                       .waitSemaphoreCount = 1,
                                       .pWaitSemaphores = &semaphore,
                                       .swapchainCount = 1,
                                       .pSwapchains = &swapchain,
                                       .pImageIndices = &index};
        FB_CALL(application, QueuePresentKHR, application.queue, &present);
        FB_CALL(application, DeviceWaitIdle, application.device);
    }
    // One more image, which goes back unseen.
    uint32_t index = 0;
    FB_CALL(application, AcquireNextImageKHR, application.device, swapchain, UINT64_MAX,
            VK_NULL_HANDLE, fence, &index);
    FB_CALL(application, WaitForFences, application.device, 1, &fence, VK_TRUE, UINT64_MAX);
    const VkReleaseSwapchainImagesInfoEXT release{
        .sType = VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT,
        .swapchain = swapchain,
        .imageIndexCount = 1,
        .pImageIndices = &index};
    FB_CALL(application, ReleaseSwapchainImagesEXT, application.device, &release);
    FB_CALL(application, DestroySemaphore, application.device, semaphore, nullptr);
    FB_CALL(application, DestroyFence, application.device, fence, nullptr);
}

void make_image_of(Application& application, VkSwapchainKHR swapchain) {
    const VkImageSwapchainCreateInfoKHR of_swapchain{
        .sType = VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR, .swapchain = swapchain};
    const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                 .pNext = &of_swapchain,
                                 .imageType = VK_IMAGE_TYPE_2D,
                                 .format = VK_FORMAT_B8G8R8A8_UNORM,
                                 .extent = {64, 64, 1},
                                 .mipLevels = 1,
                                 .arrayLayers = 1,
                                 .samples = VK_SAMPLE_COUNT_1_BIT,
                                 .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT};
    VkImage image = VK_NULL_HANDLE;
    if (!FB_CALL(application, CreateImage, application.device, &info, nullptr, &image)) {
        return;
    }
    const VkBindImageMemorySwapchainInfoKHR bound_to{
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR,
        .swapchain = swapchain,
        .imageIndex = 0};
    const VkBindImageMemoryInfo bind{
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, .pNext = &bound_to, .image = image};
    FB_CALL(application, BindImageMemory2, application.device, 1, &bind);
    FB_CALL(application, DestroyImage, application.device, image, nullptr);
}

} // namespace

void script_of_surfaces(Application& application) {
    // Their windows are the business of tests/compositors and tests/x11.
    application.look_up("vkCreateWaylandSurfaceKHR");
    application.look_up("vkCreateXcbSurfaceKHR");
    application.look_up("vkCreateXlibSurfaceKHR");
    // Drivers at hand lack them, or they wait for a display.
    application.look_up("vkGetSwapchainStatusKHR");
    application.look_up("vkWaitForPresentKHR");
    application.look_up("vkWaitForPresent2KHR");
    application.look_up("vkReleaseSwapchainImagesKHR");

    const VkHeadlessSurfaceCreateInfoEXT surface_info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    VkSurfaceKHR surface = VK_NULL_HANDLE;
    if (!FB_CALL(application, CreateHeadlessSurfaceEXT, application.instance, &surface_info,
                 nullptr, &surface)) {
        return;
    }
    ask_about(application, surface);
    const VkSwapchainCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .surface = surface,
        .minImageCount = 4,
        .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
        .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
        .imageExtent = {64, 64},
        .imageArrayLayers = 1,
        .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
        .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = VK_PRESENT_MODE_FIFO_KHR,
    };
    VkSwapchainKHR swapchain = VK_NULL_HANDLE;
    if (FB_CALL(application, CreateSwapchainKHR, application.device, &info, nullptr, &swapchain)) {
        uint32_t count = 8;
        std::array<VkImage, 8> images{};
        FB_CALL(application, GetSwapchainImagesKHR, application.device, swapchain, &count,
                images.data());
        const VkHdrMetadataEXT metadata{.sType = VK_STRUCTURE_TYPE_HDR_METADATA_EXT};
        FB_CALL(application, SetHdrMetadataEXT, application.device, 1, &swapchain, &metadata);
        show_frames(application, swapchain);
        make_image_of(application, swapchain);
        FB_CALL(application, DestroySwapchainKHR, application.device, swapchain, nullptr);
    }
    FB_CALL(application, DestroySurfaceKHR, application.instance, surface, nullptr);
}

} // namespace fencebridge::test
