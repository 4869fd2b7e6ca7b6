// What a physical device says about sharing memory and about SYNC_FD.
#pragma once

#include "dispatch/instance.hpp"
#include "fence/source_choice.hpp"

#include <vulkan/vulkan_core.h>

#include <string>
#include <vector>

namespace fencebridge {

struct Capabilities {
    std::string device_name;
    std::string driver_name;
    uint32_t api_version = VK_API_VERSION_1_0;     ///< the lower of device's and instance's
    std::vector<VkExtensionProperties> extensions; ///< of the driver, enabled or not
    FenceCapabilities fences;
    bool dma_buf_export = false; ///< of a plain transfer buffer
    bool dma_buf_import = false;
    bool dma_buf_dedicated_only = false;
};

/// Which driver it is: zeroes where that cannot be asked. Any thread.
VkPhysicalDeviceDriverProperties driver_of(const Instance& instance,
                                           VkPhysicalDevice physical_device);

/// Asks the driver; creates nothing. Any thread.
Capabilities query_capabilities(const Instance& instance, VkPhysicalDevice physical_device);

} // namespace fencebridge
