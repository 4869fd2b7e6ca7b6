// From a handle to the layer's state of it.
#pragma once

#include "dispatch/device.hpp"
#include "dispatch/handle_table.hpp"
#include "dispatch/instance.hpp"
#include "handoff/bridge.hpp"
#include "handoff/striped_map.hpp"
#include "present/presentation.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>

namespace fencebridge {

struct DeviceState {
    Device device;
    std::unique_ptr<Bridge> bridge; ///< null for a device that shares no memory
    /// Null for a device whose presents are all the driver's own business.
    std::unique_ptr<Presentation> presentation;
};

/// The tables live as long as the process: threads may be in Vulkan while it exits.
struct States {
    HandleTable<Instance> instances;    ///< by dispatch key
    HandleTable<DeviceState> devices;   ///< by dispatch key
    HandleTable<QueueSubmitter> queues; ///< by handle; queues of sharing devices only
    /// Of instances that may own swapchains, and of a kind that the layer knows.
    StripedMap<VkSurfaceKHR, std::shared_ptr<Surface>> surfaces;
};
States& states();

/// A handle's state. The handle came through vkCreateInstance or vkCreateDevice of this layer, so
/// there is one.
inline const Instance& instance_of(VkInstance instance) {
    return *states().instances.find(dispatch_key(instance));
}
inline const Instance& instance_of(VkPhysicalDevice physical_device) {
    return *states().instances.find(dispatch_key(physical_device));
}
template<typename Handle>
DeviceState& device_of(Handle device_or_command_buffer) {
    return *states().devices.find(dispatch_key(device_or_command_buffer));
}

} // namespace fencebridge
