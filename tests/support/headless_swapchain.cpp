#include "support/headless_swapchain.hpp"

#include <vulkan/vulkan.h>

namespace fencebridge::test {

ContextOptions with_headless_swapchain(ContextOptions options) {
    options.instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                   VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME};
    options.device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME};
    return options;
}

HeadlessSurface::HeadlessSurface(const VulkanContext& context) : context_(context) {
    const VkHeadlessSurfaceCreateInfoEXT info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    const auto create_surface = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
        vkGetInstanceProcAddr(context.instance, "vkCreateHeadlessSurfaceEXT"));
    FB_VK(create_surface(context.instance, &info, nullptr, &handle));
}

HeadlessSurface::~HeadlessSurface() {
    vkDestroySurfaceKHR(context_.instance, handle, nullptr);
}

} // namespace fencebridge::test
