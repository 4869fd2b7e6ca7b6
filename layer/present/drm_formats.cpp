#include "present/drm_formats.hpp"

#include <drm_fourcc.h>

#include <algorithm>
#include <iterator>

namespace fencebridge {

namespace {

struct Row {
    VkFormat format;
    uint32_t with_alpha; ///< 0: there is none with alpha
    uint32_t opaque;
};

// DRM names the components of a little-endian word from its top; so do Vulkan's packed formats,
// while its others name bytes in memory.
constexpr Row rows[] = {
    {VK_FORMAT_B8G8R8A8_UNORM, DRM_FORMAT_ARGB8888, DRM_FORMAT_XRGB8888},
    {VK_FORMAT_B8G8R8A8_SRGB, DRM_FORMAT_ARGB8888, DRM_FORMAT_XRGB8888},
    {VK_FORMAT_R8G8B8A8_UNORM, DRM_FORMAT_ABGR8888, DRM_FORMAT_XBGR8888},
    {VK_FORMAT_R8G8B8A8_SRGB, DRM_FORMAT_ABGR8888, DRM_FORMAT_XBGR8888},
    {VK_FORMAT_A8B8G8R8_UNORM_PACK32, DRM_FORMAT_ABGR8888, DRM_FORMAT_XBGR8888},
    {VK_FORMAT_A8B8G8R8_SRGB_PACK32, DRM_FORMAT_ABGR8888, DRM_FORMAT_XBGR8888},
    {VK_FORMAT_A2R10G10B10_UNORM_PACK32, DRM_FORMAT_ARGB2101010, DRM_FORMAT_XRGB2101010},
    {VK_FORMAT_A2B10G10R10_UNORM_PACK32, DRM_FORMAT_ABGR2101010, DRM_FORMAT_XBGR2101010},
    {VK_FORMAT_R16G16B16A16_UNORM, DRM_FORMAT_ABGR16161616, DRM_FORMAT_XBGR16161616},
    {VK_FORMAT_R16G16B16A16_SFLOAT, DRM_FORMAT_ABGR16161616F, DRM_FORMAT_XBGR16161616F},
    {VK_FORMAT_R5G6B5_UNORM_PACK16, 0, DRM_FORMAT_RGB565},
    {VK_FORMAT_B5G6R5_UNORM_PACK16, 0, DRM_FORMAT_BGR565},
    {VK_FORMAT_A1R5G5B5_UNORM_PACK16, DRM_FORMAT_ARGB1555, DRM_FORMAT_XRGB1555},
    {VK_FORMAT_R4G4B4A4_UNORM_PACK16, DRM_FORMAT_RGBA4444, DRM_FORMAT_RGBX4444},
    {VK_FORMAT_B4G4R4A4_UNORM_PACK16, DRM_FORMAT_BGRA4444, DRM_FORMAT_BGRX4444},
};

} // namespace

uint32_t drm_format(VkFormat format, bool has_alpha) {
    const auto* const row = std::find_if(std::begin(rows), std::end(rows),
                                         [&](const Row& one) { return one.format == format; });
    if (row == std::end(rows)) {
        return 0;
    }
    return has_alpha ? row->with_alpha : row->opaque;
}

} // namespace fencebridge
