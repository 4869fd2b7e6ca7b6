#include "present/headless_answers.hpp"

#include "dispatch/chain.hpp"
#include "dispatch/extensions.hpp"
#include "dispatch/give_out.hpp"
#include "present/modifiers.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace fencebridge {

namespace {

// What others can read from a dma-buf (present/drm_formats.cpp), the usual ones first: many
// applications take the first.
constexpr VkFormat all_formats[] = {
    VK_FORMAT_B8G8R8A8_UNORM,           VK_FORMAT_B8G8R8A8_SRGB,
    VK_FORMAT_R8G8B8A8_UNORM,           VK_FORMAT_R8G8B8A8_SRGB,
    VK_FORMAT_A2R10G10B10_UNORM_PACK32, VK_FORMAT_A2B10G10R10_UNORM_PACK32,
    VK_FORMAT_R16G16B16A16_UNORM,       VK_FORMAT_R16G16B16A16_SFLOAT,
    VK_FORMAT_R5G6B5_UNORM_PACK16,
};

// Nobody looks: an image that comes back at once is not shown at the wrong time in any of them.
constexpr VkPresentModeKHR all_modes[] = {
    VK_PRESENT_MODE_FIFO_KHR,
    VK_PRESENT_MODE_FIFO_RELAXED_KHR,
    VK_PRESENT_MODE_MAILBOX_KHR,
    VK_PRESENT_MODE_IMMEDIATE_KHR,
};

/// One to draw, one to be read by whoever has its dma-buf.
constexpr uint32_t fewest_images = 2;

/// Those that go with `mode`, itself first: all do.
std::array<VkPresentModeKHR, std::size(all_modes)> modes_with(VkPresentModeKHR mode) {
    std::array<VkPresentModeKHR, std::size(all_modes)> modes{};
    std::copy(std::begin(all_modes), std::end(all_modes), modes.begin());
    const auto found = std::find(modes.begin(), modes.end(), mode);
    if (found != modes.end()) {
        std::rotate(modes.begin(), found, found + 1);
    }
    return modes;
}

VkPresentModeKHR mode_of(const VkPhysicalDeviceSurfaceInfo2KHR& info) {
    const auto* mode = find_in_chain<VkSurfacePresentModeEXT>(
        info.pNext, VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_EXT);
    return mode != nullptr ? mode->presentMode : VK_PRESENT_MODE_FIFO_KHR;
}

} // namespace

HeadlessAnswers::HeadlessAnswers(const Instance& instance, VkPhysicalDevice physical_device) {
    foresee_device(instance, physical_device, device_);
    unsupported_ = no_swapchain_without_driver(instance.settings.present, device_.presents);
    if (unsupported_ == nullptr && (!instance.has_properties2 || !instance.has_external_queries)) {
        unsupported_ = "the instance cannot be asked about dma-bufs";
    }
    if (unsupported_ == nullptr &&
        !contains(device_.capabilities.extensions, VK_KHR_SWAPCHAIN_EXTENSION_NAME)) {
        unsupported_ = "the driver has no VK_KHR_swapchain";
    }
    if (unsupported_ == nullptr && formats().empty()) {
        unsupported_ = "the driver makes no image that it can export";
    }
}

bool HeadlessAnswers::can_make(VkFormat format, VkImageUsageFlags usage) const {
    const VkImageCreateInfo smallest{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = format,
        .extent = {1, 1, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .usage = usage,
    };
    return !usable_modifiers(device_, smallest, {}).empty() ||
           can_make_linear(device_, smallest, {});
}

VkExtent2D HeadlessAnswers::largest() const {
    VkPhysicalDeviceProperties properties{};
    device_.instance->next.GetPhysicalDeviceProperties(device_.physical_device, &properties);
    const uint32_t side = properties.limits.maxImageDimension2D;
    return {side, side};
}

VkSurfaceCapabilitiesKHR HeadlessAnswers::capabilities() const {
    VkImageUsageFlags usage = VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
    for (const VkImageUsageFlags one :
         {VK_IMAGE_USAGE_TRANSFER_SRC_BIT, VK_IMAGE_USAGE_TRANSFER_DST_BIT,
          VK_IMAGE_USAGE_SAMPLED_BIT, VK_IMAGE_USAGE_STORAGE_BIT,
          VK_IMAGE_USAGE_INPUT_ATTACHMENT_BIT}) {
        if (can_make(formats().front().format, usage | one)) {
            usage |= one;
        }
    }
    constexpr uint32_t as_the_swapchain = UINT32_MAX;
    return {
        .minImageCount = fewest_images,
        .maxImageCount = 0,
        .currentExtent = {as_the_swapchain, as_the_swapchain},
        .minImageExtent = {1, 1},
        .maxImageExtent = largest(),
        .maxImageArrayLayers = 1,
        .supportedTransforms = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .currentTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .supportedCompositeAlpha =
            VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR | VK_COMPOSITE_ALPHA_PRE_MULTIPLIED_BIT_KHR |
            VK_COMPOSITE_ALPHA_POST_MULTIPLIED_BIT_KHR | VK_COMPOSITE_ALPHA_INHERIT_BIT_KHR,
        .supportedUsageFlags = usage,
    };
}

void HeadlessAnswers::fill_chain(const VkPhysicalDeviceSurfaceInfo2KHR& info, void* chain) const {
    for (auto* item = static_cast<VkBaseOutStructure*>(chain); item != nullptr;
         item = item->pNext) {
        switch (item->sType) {
        case VK_STRUCTURE_TYPE_SURFACE_PRESENT_MODE_COMPATIBILITY_EXT: {
            auto* const modes = reinterpret_cast<VkSurfacePresentModeCompatibilityEXT*>(item);
            const auto all = modes_with(mode_of(info));
            (void)give_out(std::span<const VkPresentModeKHR>(all), &modes->presentModeCount,
                           modes->pPresentModes);
            break;
        }
        case VK_STRUCTURE_TYPE_SURFACE_PRESENT_SCALING_CAPABILITIES_EXT: {
            auto* const scaling = reinterpret_cast<VkSurfacePresentScalingCapabilitiesEXT*>(item);
            scaling->supportedPresentScaling = 0;
            scaling->supportedPresentGravityX = 0;
            scaling->supportedPresentGravityY = 0;
            scaling->minScaledImageExtent = {1, 1};
            scaling->maxScaledImageExtent = largest();
            break;
        }
        case VK_STRUCTURE_TYPE_SURFACE_PROTECTED_CAPABILITIES_KHR:
            reinterpret_cast<VkSurfaceProtectedCapabilitiesKHR*>(item)->supportsProtected =
                VK_FALSE;
            break;
        case VK_STRUCTURE_TYPE_SHARED_PRESENT_SURFACE_CAPABILITIES_KHR:
            reinterpret_cast<VkSharedPresentSurfaceCapabilitiesKHR*>(item)
                ->sharedPresentSupportedUsageFlags = 0;
            break;
        case VK_STRUCTURE_TYPE_DISPLAY_NATIVE_HDR_SURFACE_CAPABILITIES_AMD:
            reinterpret_cast<VkDisplayNativeHdrSurfaceCapabilitiesAMD*>(item)->localDimmingSupport =
                VK_FALSE;
            break;
        case VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_BARRIER_NV:
            reinterpret_cast<VkSurfaceCapabilitiesPresentBarrierNV*>(item)
                ->presentBarrierSupported = VK_FALSE;
            break;
        case VK_STRUCTURE_TYPE_LATENCY_SURFACE_CAPABILITIES_NV:
            reinterpret_cast<VkLatencySurfaceCapabilitiesNV*>(item)->presentModeCount = 0;
            break;
#ifdef VK_KHR_present_id2
        case VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_ID_2_KHR:
            reinterpret_cast<VkSurfaceCapabilitiesPresentId2KHR*>(item)->presentId2Supported =
                VK_TRUE;
            break;
#endif
#ifdef VK_KHR_present_wait2
        case VK_STRUCTURE_TYPE_SURFACE_CAPABILITIES_PRESENT_WAIT_2_KHR:
            reinterpret_cast<VkSurfaceCapabilitiesPresentWait2KHR*>(item)->presentWait2Supported =
                VK_TRUE;
            break;
#endif
#ifdef VK_EXT_present_timing
        case VK_STRUCTURE_TYPE_PRESENT_TIMING_SURFACE_CAPABILITIES_EXT: {
            auto* const timing = reinterpret_cast<VkPresentTimingSurfaceCapabilitiesEXT*>(item);
            timing->presentTimingSupported = VK_FALSE;
            timing->presentAtAbsoluteTimeSupported = VK_FALSE;
            timing->presentAtRelativeTimeSupported = VK_FALSE;
            timing->presentStageQueries = 0;
            break;
        }
#endif
        default:
            break;
        }
    }
}

std::vector<VkSurfaceFormatKHR> HeadlessAnswers::formats() const {
    std::vector<VkSurfaceFormatKHR> usable;
    for (const VkFormat format : all_formats) {
        if (can_make(format, VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT)) {
            usable.push_back({format, VK_COLOR_SPACE_SRGB_NONLINEAR_KHR});
        }
    }
    return usable;
}

std::span<const VkPresentModeKHR> HeadlessAnswers::modes() {
    return all_modes;
}

VkResult refuse_headless_swapchain(const char* why) {
    log(LogLevel::Error, "no swapchain: the driver does not know headless surfaces, and %s", why);
    return VK_ERROR_INITIALIZATION_FAILED;
}

} // namespace fencebridge
