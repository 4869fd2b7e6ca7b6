// What the layer knows of one VkDevice.
#pragma once

#include "dispatch/capabilities.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/present_choice.hpp"
#include "fence/device_calls.hpp"
#include "report/counters.hpp"
#include "report/trace.hpp"

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

namespace fencebridge {

/// Everything but the counters is immutable once made. Owned by entry/.
struct Device {
    VkDevice handle = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    const Instance* instance = nullptr;
    VkuDeviceDispatchTable next{};
    Capabilities capabilities;
    SourceChoice source;
    AcquireChoice acquire;
    GuardChoice guard;

    /// The application has swapchains, and the setting `present` may concern them.
    bool has_swapchains = false;
    PresentCapabilities presents;
    /// The application's semaphores are made exportable: a present of images of ours takes their
    /// payloads instead of a submit that waits for them.
    bool exports_waits_of_presents = false;
    bool has_modifiers = false; ///< VK_EXT_image_drm_format_modifier is enabled, by whomever

    /// Whether the application can share dma-bufs on this device at all (it enabled
    /// VK_KHR_external_memory_fd, and the policy is not `off`), or may get swapchains of ours.
    /// Where neither is so, nothing beyond vkDestroyDevice, and what presents, is intercepted.
    bool shares_memory = false;

    mutable Counters counters;
    Trace* trace = nullptr;                  ///< null: none is kept
    uint16_t trace_device = trace_no_device; ///< this device's row in it

    DeviceCalls calls() const { return {handle, &next}; }
};

/// Whether its driver knows VK_EXT_headless_surface, of use on instances that have it enabled. Any
/// thread.
bool driver_knows_headless(const Instance& instance, VkPhysicalDevice physical_device);

/// Whether a device of it may get swapchains of ours. Any thread.
bool may_own_swapchains(const Instance& instance, VkPhysicalDevice physical_device);

/// What a device of it would be, with everything enabled that swapchains of ours need, as far as
/// queries know: no handle, no probe of the kernel, no choices.
void foresee_device(const Instance& instance, VkPhysicalDevice physical_device, Device& device);

/// Calls the next layer's vkCreateDevice, for a sharing device with the SYNC_FD extensions and the
/// timeline semaphores that we use added to a copy where they exist, and fills `device`:
/// capabilities, the kernel's probed on a real dma-buf of the driver, fence source, acquire method.
/// Writes the one log line that names them. What the application asked for is tried alone where an
/// addition makes it fail. `device.handle` is what the caller found in *pDevice.
VkResult create_device(const Instance& instance, VkPhysicalDevice physical_device,
                       const VkDeviceCreateInfo& info, const VkAllocationCallbacks* allocator,
                       Device& device);

} // namespace fencebridge
