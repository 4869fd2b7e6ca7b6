// What the layer knows of one VkInstance.
#pragma once

#include "dispatch/headless_drivers.hpp"
#include "dispatch/settings.hpp"

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <memory>

namespace fencebridge {

/// Immutable once made. Owned by entry/; outlives its devices (Vulkan's own rule).
struct Instance {
    VkInstance handle = VK_NULL_HANDLE;
    VkuInstanceDispatchTable next{}; ///< promoted functions under their core names
    Settings settings;
    uint32_t api_version = VK_API_VERSION_1_0; ///< what the application asked for
    bool has_external_queries = false; ///< vkGetPhysicalDeviceExternal{Semaphore,Fence}Properties
    bool has_properties2 = false;      ///< vkGetPhysicalDeviceProperties2
    bool has_debug_utils = false;      ///< VK_EXT_debug_utils, enabled by the application
    /// Null where the application did not enable VK_EXT_headless_surface.
    std::shared_ptr<HeadlessDrivers> headless_drivers;
};

/// Calls the next layer's vkCreateInstance, for a Vulkan 1.0 application that shares memory, may
/// get swapchains of ours or has headless surfaces with the extensions added (to a copy) that tell
/// about SYNC_FD, dma-bufs and which device is which, and fills `instance`. What the application
/// asked for is tried alone where the addition makes it fail. `instance.handle` is what the caller
/// found in *pInstance.
VkResult create_instance(const VkInstanceCreateInfo& info, const VkAllocationCallbacks* allocator,
                         Instance& instance);

} // namespace fencebridge
