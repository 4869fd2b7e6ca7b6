// Vulkan's formats in the kernel's words, for pixels that a window system reads.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>

namespace fencebridge {

/// The DRM format (drm_fourcc.h) in which a window system sees an image of `format`; 0 where there
/// is none. `has_alpha`: whether the image's alpha is looked at (VkCompositeAlphaFlagBitsKHR). sRGB
/// formats lie as their linear twins do: a window system takes both to be sRGB.
uint32_t drm_format(VkFormat format, bool has_alpha);

} // namespace fencebridge
