// Who makes the swapchain of a surface: the driver or the layer. A pure function, for the log, the
// tests and the doctor.
#pragma once

#include "fence/source_choice.hpp"

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstdint>

namespace fencebridge {

/// What a surface was made for.
enum class SurfaceKind : uint8_t { Headless, Wayland, X11, Other };
constexpr size_t surface_kinds = 4;
const char* name(SurfaceKind kind);

/// The setting `present`.
enum class PresentSetting : uint8_t {
    Auto,   ///< who serves the surface best
    Native, ///< the driver's swapchain, untouched
    Owned,  ///< ours, where it can be
    Wait,   ///< the driver's, and the CPU waits for the work before each present
};
const char* name(PresentSetting setting);

enum class PresentMethod : uint8_t { Native, Owned, Wait };
const char* name(PresentMethod method);

struct PresentChoice {
    PresentMethod method = PresentMethod::Native;
    const char* why = "";
    const char* refused = nullptr; ///< why what was asked for is not what was chosen
};

/// What an owned swapchain needs of a device.
struct PresentCapabilities {
    FenceCapabilities fences;
    bool dma_buf_export = false; ///< of images, by an extension that is enabled
};

/// Whether the driver's own swapchains may hand a Wayland compositor fences by linux-drm-syncobj.
bool shares_explicit_sync(VkDriverId driver);

/// Whether the setting may give a device of this driver a swapchain of ours: what makes the layer
/// look at its presents at all.
bool may_own_swapchains(PresentSetting setting, VkDriverId driver);

/// Whether an owned swapchain serves this device extension. Those that it does not are hidden where
/// `owned` is asked for: better not there than broken.
bool owned_swapchain_serves(const char* extension);

/// `explicit_sync`: the window system offers it to the driver (linux-drm-syncobj).
PresentChoice choose_present(PresentSetting setting, SurfaceKind surface, bool explicit_sync,
                             const PresentCapabilities& capabilities);

/// Of a headless surface that the driver does not know, whose swapchains are ours or nobody's: why
/// there are none; null where there are.
const char* no_swapchain_without_driver(PresentSetting setting,
                                        const PresentCapabilities& capabilities);

} // namespace fencebridge
