// What the running kernel can do with a dma-buf's fences, asked without any Vulkan driver.
#pragma once

#include "fence/dma_buf.hpp"

#include <string>

namespace fencebridge {

struct KernelCheck {
    std::string release; ///< uname -r
    KernelSupport support = KernelSupport::Unknown;
    std::string tried_on;  ///< where the dma-buf came from, or why there was none
    bool has_vgem = false; ///< a DRM node of the vgem driver
};

/// Makes one small dma-buf by udmabuf or the system heap and tries both ioctls on it.
KernelCheck check_kernel();

} // namespace fencebridge
