#include "dispatch/present_choice.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace fencebridge {

namespace {

/// Why a device cannot own the swapchains of these surfaces, or null.
const char* obstacle(SurfaceKind surface, const PresentCapabilities& capabilities) {
    if (surface != SurfaceKind::Headless) {
        return "there are no owned swapchains for this kind of surface yet";
    }
    if (!capabilities.dma_buf_export) {
        return "the device exports no dma-bufs (or is a Vulkan 1.0 device)";
    }
    if (!capabilities.fences.semaphore_import || !capabilities.fences.fence_import) {
        return "the driver imports no SYNC_FD, so an acquired image's fences reach nobody";
    }
    return nullptr;
}

} // namespace

bool owned_swapchain_serves(const char* extension) {
    // Each has structures or functions about swapchains that nothing here answers.
    constexpr std::string_view unserved[] = {
        "VK_AMD_display_native_hdr",
        "VK_EXT_display_control",
        "VK_EXT_present_timing",
        "VK_GOOGLE_display_timing",
        "VK_KHR_present_id2",
        "VK_KHR_present_mode_fifo_latest_ready",
        "VK_KHR_present_wait2",
        "VK_KHR_shared_presentable_image",
        "VK_KHR_swapchain_maintenance1",
        "VK_NV_low_latency2",
        "VK_NV_present_barrier",
    };
    return std::find(std::begin(unserved), std::end(unserved), extension) == std::end(unserved);
}

const char* name(PresentSetting setting) {
    switch (setting) {
    case PresentSetting::Auto:
        return "auto";
    case PresentSetting::Owned:
        return "owned";
    case PresentSetting::Wait:
        return "wait";
    case PresentSetting::Native:
        break;
    }
    return "native";
}

const char* name(PresentMethod method) {
    switch (method) {
    case PresentMethod::Owned:
        return "owned";
    case PresentMethod::Wait:
        return "wait";
    case PresentMethod::Native:
        break;
    }
    return "native";
}

PresentChoice choose_present(PresentSetting setting, SurfaceKind surface,
                             const PresentCapabilities& capabilities) {
    switch (setting) {
    case PresentSetting::Owned:
        if (const char* const why_not = obstacle(surface, capabilities)) {
            return {PresentMethod::Native, "the driver's own swapchain", why_not};
        }
        return {PresentMethod::Owned, "asked for"};
    case PresentSetting::Wait:
        return {PresentMethod::Wait, "asked for"};
    case PresentSetting::Native:
        return {PresentMethod::Native, "asked for"};
    case PresentSetting::Auto:
        break;
    }
    return {PresentMethod::Native, "the driver's own swapchain"};
}

} // namespace fencebridge
