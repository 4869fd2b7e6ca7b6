// What the layer knows of a VkSurfaceKHR: its window system, and how to present there.
#pragma once

#include "dispatch/present_choice.hpp"
#include "present/presenter.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>

namespace fencebridge {

struct Device;
struct Instance;

/// Known from the surface's creation to its destruction; swapchains of ours keep it beyond.
/// Thread-safe.
class Surface {
public:
    virtual ~Surface() = default;

    virtual SurfaceKind kind() const = 0;

    /// Whether the driver of the physical device knows it, too. Where it does not, nothing about
    /// the surface may reach that driver: swapchains are ours or nobody's.
    virtual bool driver_knows(const Instance& /*instance*/,
                              VkPhysicalDevice /*physical_device*/) const {
        return true;
    }

    /// Whether the window system takes explicit fences from the driver's own swapchain
    /// (linux-drm-syncobj). May ask the window system.
    virtual bool offers_explicit_sync() { return false; }

    /// A swapchain of the driver's was made on it. What the driver then gives the window it may
    /// keep as long as the surface is there.
    virtual void had_by_driver(VkDriverId /*driver*/) noexcept {}

    /// For a swapchain of ours. Null, with `why_not` set, where the surface cannot have one.
    virtual std::unique_ptr<Presenter> make_presenter(const Device& device,
                                                      const VkSwapchainCreateInfoKHR& info,
                                                      const char*& why_not) = 0;
};

} // namespace fencebridge
