#include "dispatch/present_choice.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace fencebridge {

namespace {

/// What `auto` knows of a driver's own swapchain; null where it is no better than ours.
const char* native_merit(VkDriverId driver) {
    switch (driver) {
    // Mesa's common code puts the work's fence on the buffer, or hands it over by
    // linux-drm-syncobj, and takes the compositor's fences at the acquire.
    case VK_DRIVER_ID_MESA_RADV:
    case VK_DRIVER_ID_INTEL_OPEN_SOURCE_MESA:
    case VK_DRIVER_ID_MESA_TURNIP:
    case VK_DRIVER_ID_MESA_V3DV:
    case VK_DRIVER_ID_MESA_PANVK:
    case VK_DRIVER_ID_MESA_NVK:
    case VK_DRIVER_ID_MESA_HONEYKRISP:
    case VK_DRIVER_ID_IMAGINATION_OPEN_SOURCE_MESA:
    case VK_DRIVER_ID_MESA_VENUS:
        return "the driver bridges its own swapchain";
    // Pictures in the CPU's memory, finished before they are shown: there is nothing to bridge.
    case VK_DRIVER_ID_MESA_LLVMPIPE:
    case VK_DRIVER_ID_GOOGLE_SWIFTSHADER:
        return "the driver presents from CPU memory";
    default:
        return nullptr;
    }
}

/// Drivers that hand their fences to a compositor by linux-drm-syncobj where it is offered, and
/// only there.
bool uses_explicit_sync(VkDriverId driver) {
    return driver == VK_DRIVER_ID_NVIDIA_PROPRIETARY;
}

/// Why a device cannot own the swapchains of these surfaces, or null.
const char* obstacle(SurfaceKind surface, const PresentCapabilities& capabilities) {
    if (surface == SurfaceKind::Other) {
        return "there are no owned swapchains for this kind of surface";
    }
    if (!capabilities.dma_buf_export) {
        return "the device exports no dma-bufs";
    }
    if (!capabilities.fences.semaphore_import || !capabilities.fences.fence_import) {
        return "the driver imports no SYNC_FD, so an acquired image's fences reach nobody";
    }
    return nullptr;
}

} // namespace

const char* name(SurfaceKind kind) {
    switch (kind) {
    case SurfaceKind::Headless:
        return "headless";
    case SurfaceKind::Wayland:
        return "Wayland";
    case SurfaceKind::X11:
        return "X11";
    case SurfaceKind::Other:
        break;
    }
    return "display or unknown";
}

bool shares_explicit_sync(VkDriverId driver) {
    switch (driver) {
    // They have no OPAQUE_FD of timeline semaphores, which is what a compositor would be given.
    case VK_DRIVER_ID_MESA_VENUS:
    case VK_DRIVER_ID_MESA_LLVMPIPE:
    case VK_DRIVER_ID_GOOGLE_SWIFTSHADER:
        return false;
    default:
        return true;
    }
}

bool may_own_swapchains(PresentSetting setting, VkDriverId driver) {
    return setting == PresentSetting::Owned ||
           (setting == PresentSetting::Auto && native_merit(driver) == nullptr);
}

bool owned_swapchain_serves(const char* extension) {
    // Each has structures or functions about swapchains that nothing here answers.
    constexpr std::string_view unserved[] = {
        "VK_AMD_display_native_hdr",
        "VK_EXT_display_control",
        "VK_EXT_multisampled_render_to_swapchain",
        "VK_EXT_present_mode_fifo_latest_ready",
        "VK_EXT_present_timing",
        "VK_GOOGLE_display_timing",
        "VK_KHR_extended_flags",
        "VK_KHR_present_mode_fifo_latest_ready",
        "VK_KHR_shared_presentable_image",
        "VK_NV_low_latency2",
        "VK_NV_present_barrier",
// Their functions would reach the driver with swapchains of ours.
#ifndef VK_KHR_swapchain_maintenance1
        "VK_KHR_swapchain_maintenance1",
#endif
#ifndef VK_KHR_present_wait2
        "VK_KHR_present_wait2",
#endif
#ifndef VK_KHR_present_id2
        "VK_KHR_present_id2",
#endif
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

PresentChoice choose_present(PresentSetting setting, SurfaceKind surface, bool explicit_sync,
                             const PresentCapabilities& capabilities) {
    switch (setting) {
    case PresentSetting::Wait:
        return {PresentMethod::Wait, "asked for"};
    case PresentSetting::Native:
        return {PresentMethod::Native, "asked for"};
    case PresentSetting::Owned:
        if (const char* const why_not = obstacle(surface, capabilities)) {
            return {PresentMethod::Native, "the driver's own swapchain", why_not};
        }
        return {PresentMethod::Owned, "asked for"};
    case PresentSetting::Auto:
        break;
    }
    if (const char* const merit = native_merit(capabilities.fences.driver)) {
        return {PresentMethod::Native, merit};
    }
    if (explicit_sync && uses_explicit_sync(capabilities.fences.driver)) {
        return {PresentMethod::Native, "driver and compositor share explicit fences"};
    }
    if (const char* const why_not = obstacle(surface, capabilities)) {
        return {PresentMethod::Native, why_not};
    }
    return {PresentMethod::Owned, "the driver's own swapchain is not known to carry fences"};
}

const char* no_swapchain_without_driver(PresentSetting setting,
                                        const PresentCapabilities& capabilities) {
    switch (setting) {
    case PresentSetting::Native:
    case PresentSetting::Wait:
        return "the setting wants the driver's own swapchains";
    case PresentSetting::Owned:
    case PresentSetting::Auto:
        break;
    }
    return obstacle(SurfaceKind::Headless, capabilities);
}

} // namespace fencebridge
