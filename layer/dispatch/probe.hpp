// What the kernel can do, asked on a real dma-buf of the real driver.
#pragma once

#include "dispatch/device.hpp"
#include "fence/dma_buf.hpp"

namespace fencebridge {

/// Allocates one small exportable buffer, tries both ioctls on its dma-buf, frees it. Unknown where
/// the driver exports no such buffer. Leaves nothing behind. Called once a device, at its creation.
KernelSupport probe_kernel(const Device& device);

} // namespace fencebridge
