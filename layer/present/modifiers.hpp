// DRM format modifiers: how pixels may lie in memory that both sides can read.
#pragma once

#include "dispatch/device.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <span>
#include <vector>

namespace fencebridge {

/// The modifiers with which the driver can make and export images as `info` says (tiling and chain
/// aside; `view_formats` as in VkImageFormatListCreateInfo). In the driver's order. Empty also
/// where the device has no modifiers.
std::vector<uint64_t> usable_modifiers(const Device& device, const VkImageCreateInfo& info,
                                       std::span<const VkFormat> view_formats);

/// Whether it can make and export them linear, without naming a modifier.
bool can_make_linear(const Device& device, const VkImageCreateInfo& info,
                     std::span<const VkFormat> view_formats);

/// Of an image of this format and modifier: how many memory planes it has.
uint32_t plane_count(const Device& device, VkFormat format, uint64_t modifier);

} // namespace fencebridge
