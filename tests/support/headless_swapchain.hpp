// A swapchain on a surface that nobody looks at.
#pragma once

#include "support/swapchain.hpp"

namespace fencebridge::test {

/// The options of a context with what it takes.
ContextOptions with_headless_swapchain(ContextOptions options = {});

/// VK_EXT_headless_surface.
class HeadlessSurface {
public:
    explicit HeadlessSurface(const VulkanContext& context);
    ~HeadlessSurface();
    HeadlessSurface(const HeadlessSurface&) = delete;
    HeadlessSurface& operator=(const HeadlessSurface&) = delete;

    VkSurfaceKHR handle = VK_NULL_HANDLE;

private:
    const VulkanContext& context_;
};

class HeadlessSwapchain : private HeadlessSurface, public TestSwapchain {
public:
    HeadlessSwapchain(const VulkanContext& context, Extent its_extent, VkImageUsageFlags its_usage)
        : HeadlessSurface(context), TestSwapchain(context, HeadlessSurface::handle,
                                                  {.extent = its_extent, .usage = its_usage}) {}

    using TestSwapchain::handle;
};

} // namespace fencebridge::test
