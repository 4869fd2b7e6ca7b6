// The little that a fence source knows of Vulkan: a device and the next layer's entry points.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

namespace fencebridge {

/// Borrowed; valid as long as the device is.
struct DeviceCalls {
    VkDevice device = VK_NULL_HANDLE;
    const VkuDeviceDispatchTable* next = nullptr;
};

} // namespace fencebridge
