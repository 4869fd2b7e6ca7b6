// An application that draws and presents, on a surface that nobody looks at: one colour a frame,
// the frame's number. It shares nothing and knows of no layer.
//
//   fencebridge-presenter FRAMES WORK_MS  : prints one JSON line
#include "capture/protocol.hpp"
#include "support/vulkan_commands.hpp"

#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

namespace {

using namespace fencebridge::test;

/// A swapchain on a headless surface.
class Swapchain {
public:
    explicit Swapchain(const VulkanContext& context) : context_(context) {
        const VkHeadlessSurfaceCreateInfoEXT surface_info{
            .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
        const auto create_surface = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
            vkGetInstanceProcAddr(context.instance, "vkCreateHeadlessSurfaceEXT"));
        FB_VK(create_surface(context.instance, &surface_info, nullptr, &surface_));
        VkBool32 is_supported = VK_FALSE;
        FB_VK(vkGetPhysicalDeviceSurfaceSupportKHR(context.physical_device, 0, surface_,
                                                   &is_supported));
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
            .imageExtent = {capture_width, capture_height},
            .imageArrayLayers = 1,
            .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
            .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
            .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
            .presentMode = VK_PRESENT_MODE_FIFO_KHR,
        };
        FB_VK(vkCreateSwapchainKHR(context.device, &info, nullptr, &handle));
        uint32_t count = 0;
        FB_VK(vkGetSwapchainImagesKHR(context.device, handle, &count, nullptr));
        images.resize(count);
        FB_VK(vkGetSwapchainImagesKHR(context.device, handle, &count, images.data()));
    }
    ~Swapchain() {
        vkDestroySwapchainKHR(context_.device, handle, nullptr);
        vkDestroySurfaceKHR(context_.instance, surface_, nullptr);
    }
    Swapchain(const Swapchain&) = delete;
    Swapchain& operator=(const Swapchain&) = delete;

    VkSwapchainKHR handle = VK_NULL_HANDLE;
    std::vector<VkImage> images;

private:
    const VulkanContext& context_;
    VkSurfaceKHR surface_ = VK_NULL_HANDLE;
};

void draw(CommandBuffer& commands, const LongWork& work, std::chrono::milliseconds duration,
          VkImage image, uint32_t frame) {
    commands.begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    work.record(commands, duration);
    commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    const VkClearColorValue colour = colour_of(frame | 0xff000000U);
    vkCmdClearColorImage(commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                         &whole_image);
    commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    commands.end();
}

int present(uint32_t frames, std::chrono::milliseconds duration) {
    const VulkanContext context({
        .shares_memory = false,
        .spare_queues = 1,
        .instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME},
        .device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME},
    });
    const LongWork work(context);
    const Swapchain swapchain(context);
    CommandBuffer commands(context);
    const Fence acquired(context);
    VkSemaphore drawn = VK_NULL_HANDLE;
    const VkSemaphoreCreateInfo semaphore_info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    FB_VK(vkCreateSemaphore(context.device, &semaphore_info, nullptr, &drawn));
    for (uint32_t frame = 1; frame <= frames; ++frame) {
        uint32_t image = 0;
        FB_VK(vkAcquireNextImageKHR(context.device, swapchain.handle, UINT64_MAX, VK_NULL_HANDLE,
                                    acquired.handle, &image));
        FB_VK(acquired.wait());
        acquired.reset();
        draw(commands, work, duration, swapchain.images.at(image), frame);
        FB_VK(submit(context.queue, commands, VK_NULL_HANDLE, {.signal = drawn}));
        const VkPresentInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
            .waitSemaphoreCount = 1,
            .pWaitSemaphores = &drawn,
            .swapchainCount = 1,
            .pSwapchains = &swapchain.handle,
            .pImageIndices = &image,
        };
        FB_VK(vkQueuePresentKHR(context.queue, &info));
        // There is time between two frames of an application that a display paces.
        FB_VK(vkDeviceWaitIdle(context.device));
        std::this_thread::sleep_for(duration / 2);
    }
    vkDestroySemaphore(context.device, drawn, nullptr);
    std::cout << nlohmann::json{{"device", context.device_name}} << '\n';
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: fencebridge-presenter FRAMES WORK_MS\n");
        return 2;
    }
    return present(static_cast<uint32_t>(std::atoi(argv[1])),
                   std::chrono::milliseconds(std::atoi(argv[2])));
}
