#include "present/drm_device.hpp"

#include "dispatch/extensions.hpp"

#include <sys/sysmacros.h>

namespace fencebridge {

std::vector<dev_t> drm_nodes(const Device& device) {
    const auto query = device.instance->next.GetPhysicalDeviceProperties2;
    if (query == nullptr ||
        !contains(device.capabilities.extensions, VK_EXT_PHYSICAL_DEVICE_DRM_EXTENSION_NAME)) {
        return {};
    }
    VkPhysicalDeviceDrmPropertiesEXT drm{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRM_PROPERTIES_EXT,
    };
    VkPhysicalDeviceProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &drm,
    };
    query(device.physical_device, &properties);
    std::vector<dev_t> nodes;
    const auto add = [&nodes](VkBool32 is_there, int64_t major, int64_t minor) {
        if (is_there == VK_TRUE) {
            nodes.push_back(makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor)));
        }
    };
    add(drm.hasRender, drm.renderMajor, drm.renderMinor);
    add(drm.hasPrimary, drm.primaryMajor, drm.primaryMinor);
    return nodes;
}

} // namespace fencebridge
