// What a physical device says of a headless surface that its driver does not know.
#pragma once

#include "dispatch/device.hpp"

#include <vulkan/vulkan_core.h>

#include <span>
#include <vector>

namespace fencebridge {

/// Vulkan's queries of surfaces, answered by what an owned swapchain can be. One thread.
class HeadlessAnswers {
public:
    HeadlessAnswers(const Instance& instance, VkPhysicalDevice physical_device);

    /// Why the surface is not supported; null where it is.
    const char* unsupported() const { return unsupported_; }

    // The rest is for surfaces that are.

    VkSurfaceCapabilitiesKHR capabilities() const;

    /// The structures that may hang on VkSurfaceCapabilities2KHR, for a surface as `info` describes
    /// it. What is not known stays as it is.
    void fill_chain(const VkPhysicalDeviceSurfaceInfo2KHR& info, void* chain) const;

    std::vector<VkSurfaceFormatKHR> formats() const;

    static std::span<const VkPresentModeKHR> modes();

private:
    bool can_make(VkFormat format, VkImageUsageFlags usage) const;
    VkExtent2D largest() const;

    Device device_; ///< what one of it would be
    const char* unsupported_ = nullptr;
};

/// vkCreateSwapchainKHR where there can be none: says so in the log, and returns the error.
VkResult refuse_headless_swapchain(const char* why);

} // namespace fencebridge
