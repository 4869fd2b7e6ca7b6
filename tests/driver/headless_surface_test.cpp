// A headless surface of the layer's, on a driver that has none: what it says of itself, and that
// all of it can be had.
#include "driver/machine_without_headless.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <set>
#include <vector>

namespace fencebridge::test {
namespace {

/// The old loader takes no implicit layer by its name, which is how ours comes below validation.
std::vector<PresentMode> modes_of_this_loader() {
    std::vector<PresentMode> modes{
        {Layers::Bridge, "owned"}, {Layers::Bridge, "auto"}, {Layers::ValidationBelow, "auto"}};
    if (!is_old_loader()) {
        modes.push_back({Layers::ValidationAbove, "auto"});
    }
    return modes;
}

class OfTheLayer : public testing::TestWithParam<PresentMode> {};

TEST_P(OfTheLayer, ImageCarriesItsFence) {
    expect_a_fence_with_the_image(options_of(GetParam()));
}

TEST_P(OfTheLayer, ImagesAreDmaBufs) {
    VulkanContext context(options_of(GetParam()));
    const size_t before = own_dma_bufs().size();
    {
        const HeadlessSwapchain swapchain(context, present_extent, present_usage);
        EXPECT_GE(own_dma_bufs().size(), before + swapchain.images.size());
    }
    EXPECT_EQ(own_dma_bufs().size(), before);
    expect_no_messages(context);
}

/// All of a list that Vulkan gives out in two calls; what the specification says of such calls is
/// looked at on the way.
template<typename T, typename List>
std::vector<T> all_of(T empty, List list) {
    uint32_t count = 0;
    EXPECT_EQ(list(&count, static_cast<T*>(nullptr)), VK_SUCCESS);
    EXPECT_GE(count, 1U);
    std::vector<T> all(count + 1, empty);
    uint32_t got = count - 1;
    EXPECT_EQ(list(&got, all.data()), VK_INCOMPLETE);
    EXPECT_EQ(got, count - 1);
    // All of it last: validation believes what it has seen last.
    got = count + 1;
    EXPECT_EQ(list(&got, all.data()), VK_SUCCESS) << "room for one more";
    EXPECT_EQ(got, count);
    all.resize(got, empty);
    return all;
}

/// An instance with everything that asks about surfaces.
ContextOptions asking(const PresentMode& mode) {
    ContextOptions options = options_of(mode);
    options.instance_extensions.push_back(VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME);
    options.instance_extensions.push_back(VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME);
    options.instance_extensions.push_back(VK_KHR_SURFACE_PROTECTED_CAPABILITIES_EXTENSION_NAME);
    return options;
}

template<typename Function>
Function instance_function(const VulkanContext& context, const char* name) {
    const auto found = reinterpret_cast<Function>(vkGetInstanceProcAddr(context.instance, name));
    if (found == nullptr) {
        ADD_FAILURE() << "no " << name;
        std::abort();
    }
    return found;
}

bool same(const VkSurfaceCapabilitiesKHR& one, const VkSurfaceCapabilitiesKHR& other) {
    return one.minImageCount == other.minImageCount && one.maxImageCount == other.maxImageCount &&
           one.maxImageExtent.width == other.maxImageExtent.width &&
           one.supportedUsageFlags == other.supportedUsageFlags &&
           one.supportedCompositeAlpha == other.supportedCompositeAlpha;
}

TEST_P(OfTheLayer, SurfaceSaysWhatItCanBe) {
    VulkanContext context(asking(GetParam()));
    const HeadlessSurface surface(context);
    VkPhysicalDevice device = context.physical_device;

    uint32_t families = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &families, nullptr);
    for (uint32_t family = 0; family < families; ++family) {
        VkBool32 is_supported = VK_FALSE;
        EXPECT_EQ(
            vkGetPhysicalDeviceSurfaceSupportKHR(device, family, surface.handle, &is_supported),
            VK_SUCCESS);
        EXPECT_EQ(is_supported, VK_TRUE);
    }

    const auto formats = all_of(VkSurfaceFormatKHR{}, [&](uint32_t* count, auto* target) {
        return vkGetPhysicalDeviceSurfaceFormatsKHR(device, surface.handle, count, target);
    });
    const auto has_format = [&](VkFormat format) {
        return std::any_of(formats.begin(), formats.end(),
                           [&](const auto& one) { return one.format == format; });
    };
    EXPECT_TRUE(has_format(VK_FORMAT_B8G8R8A8_UNORM));
    EXPECT_TRUE(has_format(VK_FORMAT_B8G8R8A8_SRGB));
    EXPECT_TRUE(has_format(VK_FORMAT_R8G8B8A8_UNORM));

    const VkPhysicalDeviceSurfaceInfo2KHR info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR,
        .surface = surface.handle,
    };
    const auto get_formats2 = instance_function<PFN_vkGetPhysicalDeviceSurfaceFormats2KHR>(
        context, "vkGetPhysicalDeviceSurfaceFormats2KHR");
    const auto formats2 = all_of(
        VkSurfaceFormat2KHR{.sType = VK_STRUCTURE_TYPE_SURFACE_FORMAT_2_KHR},
        [&](uint32_t* count, auto* target) { return get_formats2(device, &info, count, target); });
    ASSERT_EQ(formats2.size(), formats.size());
    for (size_t i = 0; i < formats.size(); ++i) {
        EXPECT_EQ(formats2.at(i).surfaceFormat.format, formats.at(i).format);
        EXPECT_EQ(formats2.at(i).sType, VK_STRUCTURE_TYPE_SURFACE_FORMAT_2_KHR);
    }

    const auto modes = all_of(VkPresentModeKHR{}, [&](uint32_t* count, auto* target) {
        return vkGetPhysicalDeviceSurfacePresentModesKHR(device, surface.handle, count, target);
    });
    for (const VkPresentModeKHR mode :
         {VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR}) {
        EXPECT_EQ(std::count(modes.begin(), modes.end(), mode), 1);
    }
    (void)all_of(VkRect2D{}, [&](uint32_t* count, auto* target) {
        return vkGetPhysicalDevicePresentRectanglesKHR(device, surface.handle, count, target);
    });
    VkDeviceGroupPresentModeFlagsKHR group_modes = 0;
    EXPECT_EQ(vkGetDeviceGroupSurfacePresentModesKHR(context.device, surface.handle, &group_modes),
              VK_SUCCESS);
    EXPECT_EQ(group_modes, VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR);
    expect_no_messages(context);
}

TEST_P(OfTheLayer, CapabilitiesAreTheSameHoweverAskedFor) {
    VulkanContext context(asking(GetParam()));
    const HeadlessSurface surface(context);
    VkSurfaceCapabilitiesKHR capabilities{};
    EXPECT_EQ(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface.handle,
                                                        &capabilities),
              VK_SUCCESS);
    EXPECT_EQ(capabilities.currentExtent.width, UINT32_MAX);
    EXPECT_EQ(capabilities.currentExtent.height, UINT32_MAX);
    EXPECT_GE(capabilities.maxImageExtent.width, 4096U);
    EXPECT_EQ(capabilities.maxImageArrayLayers, 1U);
    constexpr VkImageUsageFlags wanted =
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    EXPECT_EQ(capabilities.supportedUsageFlags & wanted, wanted);

    // With everything of these headers that may be asked.
    std::vector<VkPresentModeKHR> compatible(8);
    VkSurfacePresentModeCompatibilityEXT modes{
        .sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT,
        .presentModeCount = static_cast<uint32_t>(compatible.size()),
        .pPresentModes = compatible.data(),
    };
    VkSurfacePresentScalingCapabilitiesEXT scaling{
        .sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT,
        .pNext = &modes,
        .supportedPresentScaling = ~0U,
    };
    VkSurfaceProtectedCapabilitiesKHR protection{
        .sType = VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR,
        .pNext = &scaling,
        .supportsProtected = VK_TRUE,
    };
    VkSurfaceCapabilities2KHR capabilities2{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR,
        .pNext = &protection,
    };
    VkSurfacePresentModeEXT mailbox{
        .sType = VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT,
        .presentMode = VK_PRESENT_MODE_MAILBOX_KHR,
    };
    const VkPhysicalDeviceSurfaceInfo2KHR info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR,
        .pNext = &mailbox,
        .surface = surface.handle,
    };
    const auto get = instance_function<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        context, "vkGetPhysicalDeviceSurfaceCapabilities2KHR");
    EXPECT_EQ(get(context.physical_device, &info, &capabilities2), VK_SUCCESS);
    EXPECT_TRUE(same(capabilities, capabilities2.surfaceCapabilities));
    EXPECT_EQ(protection.supportsProtected, VK_FALSE);
    EXPECT_EQ(scaling.supportedPresentScaling, 0U);
    EXPECT_EQ(scaling.maxScaledImageExtent.width, capabilities.maxImageExtent.width);
    ASSERT_GE(modes.presentModeCount, 1U);
    ASSERT_LE(modes.presentModeCount, compatible.size());
    EXPECT_EQ(compatible.front(), VK_PRESENT_MODE_MAILBOX_KHR);
    const std::set<VkPresentModeKHR> different(compatible.begin(),
                                               compatible.begin() + modes.presentModeCount);
    EXPECT_EQ(different.size(), modes.presentModeCount);
    expect_no_messages(context);
}

TEST_P(OfTheLayer, EveryFormatAndModeThatItOffersCanBeHad) {
    VulkanContext context(options_of(GetParam()));
    const HeadlessSurface surface(context);
    VkSurfaceCapabilitiesKHR capabilities{};
    FB_VK(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface.handle,
                                                    &capabilities));
    const auto formats = all_of(VkSurfaceFormatKHR{}, [&](uint32_t* count, auto* target) {
        return vkGetPhysicalDeviceSurfaceFormatsKHR(context.physical_device, surface.handle, count,
                                                    target);
    });
    const auto modes = all_of(VkPresentModeKHR{}, [&](uint32_t* count, auto* target) {
        return vkGetPhysicalDeviceSurfacePresentModesKHR(context.physical_device, surface.handle,
                                                         count, target);
    });
    const auto make = [&](const VkSurfaceFormatKHR& format, VkPresentModeKHR mode) {
        const bool is_first = format.format == formats.front().format;
        const VkSwapchainCreateInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
            .surface = surface.handle,
            .minImageCount = capabilities.minImageCount,
            .imageFormat = format.format,
            .imageColorSpace = format.colorSpace,
            .imageExtent = {present_extent.width, present_extent.height},
            .imageArrayLayers = 1,
            // What all formats of a surface can be used for is asked of the format.
            .imageUsage = is_first ? capabilities.supportedUsageFlags
                                   : VkImageUsageFlags{VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT},
            .preTransform = capabilities.currentTransform,
            .compositeAlpha = VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR,
            .presentMode = mode,
        };
        VkSwapchainKHR swapchain = VK_NULL_HANDLE;
        const VkResult result = vkCreateSwapchainKHR(context.device, &info, nullptr, &swapchain);
        vkDestroySwapchainKHR(context.device, swapchain, nullptr);
        return result;
    };
    for (const VkSurfaceFormatKHR& format : formats) {
        EXPECT_EQ(make(format, VK_PRESENT_MODE_FIFO_KHR), VK_SUCCESS) << format.format;
    }
    for (const VkPresentModeKHR mode : modes) {
        EXPECT_EQ(make(formats.front(), mode), VK_SUCCESS) << mode;
    }
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, OfTheLayer, testing::ValuesIn(modes_of_this_loader()),
                         by_mode_and_loader);

class OneMode : public testing::TestWithParam<std::string> {};
constexpr PresentMode strictly{Layers::ValidationBelow, "auto"};

TEST_P(OneMode, CountersOfADisplayItHasNone) {
    ContextOptions options = options_of(strictly);
    for (const char* const extension :
         {VK_KHR_DISPLAY_EXTENSION_NAME, VK_EXT_DISPLAY_SURFACE_COUNTER_EXTENSION_NAME}) {
        if (!is_offered(extension)) {
            GTEST_SKIP() << "the driver has no " << extension;
        }
        options.instance_extensions.push_back(extension);
    }
    VulkanContext context(options);
    const HeadlessSurface surface(context);
    VkSurfaceCapabilitiesKHR capabilities{};
    FB_VK(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface.handle,
                                                    &capabilities));
    VkSurfaceCapabilities2EXT with_counters{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_EXT,
        .supportedSurfaceCounters = VK_SURFACE_COUNTER_VBLANK_BIT_EXT,
    };
    const auto get = instance_function<PFN_vkGetPhysicalDeviceSurfaceCapabilities2EXT>(
        context, "vkGetPhysicalDeviceSurfaceCapabilities2EXT");
    EXPECT_EQ(get(context.physical_device, surface.handle, &with_counters), VK_SUCCESS);
    EXPECT_EQ(with_counters.supportedSurfaceCounters, 0U);
    EXPECT_EQ(with_counters.minImageCount, capabilities.minImageCount);
    EXPECT_EQ(with_counters.maxImageExtent.width, capabilities.maxImageExtent.width);
    EXPECT_EQ(with_counters.supportedUsageFlags, capabilities.supportedUsageFlags);
    expect_no_messages(context);
}

#if defined(VK_KHR_present_id2) && defined(VK_KHR_present_wait2)
TEST_P(OneMode, PresentsMayHaveIdsAndBeWaitedFor) {
    VulkanContext context(asking(strictly));
    if (const std::string missing = context.lacks(
            {VK_KHR_PRESENT_ID_2_EXTENSION_NAME, VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME});
        !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    const HeadlessSurface surface(context);
    VkSurfaceCapabilitiesPresentId2KHR ids{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_ID_2_KHR};
    VkSurfaceCapabilitiesPresentWait2KHR waits{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_WAIT_2_KHR,
        .pNext = &ids,
    };
    VkSurfaceCapabilities2KHR capabilities{
        .sType = VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_2_KHR,
        .pNext = &waits,
    };
    const VkPhysicalDeviceSurfaceInfo2KHR info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SURFACE_INFO_2_KHR,
        .surface = surface.handle,
    };
    const auto get = instance_function<PFN_vkGetPhysicalDeviceSurfaceCapabilities2KHR>(
        context, "vkGetPhysicalDeviceSurfaceCapabilities2KHR");
    EXPECT_EQ(get(context.physical_device, &info, &capabilities), VK_SUCCESS);
    EXPECT_EQ(ids.presentId2Supported, VK_TRUE);
    EXPECT_EQ(waits.presentWait2Supported, VK_TRUE);
    expect_no_messages(context);
}
#endif

INSTANTIATE_TEST_SUITE_P(Driver, OneMode, testing::Values("Driver" + loader()),
                         [](const auto& one) { return one.param; });

} // namespace
} // namespace fencebridge::test
