// Which DRM device a Vulkan device is.
#pragma once

#include "dispatch/device.hpp"

#include <sys/types.h>
#include <vector>

namespace fencebridge {

/// The device numbers of its nodes, the render node's and the primary's: compositors name a device
/// by either. None where the driver does not say (VK_EXT_physical_device_drm).
std::vector<dev_t> drm_nodes(const Device& device);

} // namespace fencebridge
