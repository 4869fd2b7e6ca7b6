// Vulkan's formats in the kernel's words.
#include "present/drm_formats.hpp"

#include <drm_fourcc.h>
#include <gtest/gtest.h>

namespace fencebridge::test {

TEST(DrmFormats, LieInMemoryAsVulkansDo) {
    // Vulkan: bytes in memory. DRM: a little-endian word from its top.
    EXPECT_EQ(drm_format(VK_FORMAT_B8G8R8A8_UNORM, true), DRM_FORMAT_ARGB8888);
    EXPECT_EQ(drm_format(VK_FORMAT_R8G8B8A8_UNORM, true), DRM_FORMAT_ABGR8888);
    // Both: a word from its top.
    EXPECT_EQ(drm_format(VK_FORMAT_A2R10G10B10_UNORM_PACK32, true), DRM_FORMAT_ARGB2101010);
    EXPECT_EQ(drm_format(VK_FORMAT_R5G6B5_UNORM_PACK16, false), DRM_FORMAT_RGB565);
    EXPECT_EQ(drm_format(VK_FORMAT_B4G4R4A4_UNORM_PACK16, true), DRM_FORMAT_BGRA4444);
}

TEST(DrmFormats, OpaqueImagesHaveNoAlpha) {
    EXPECT_EQ(drm_format(VK_FORMAT_B8G8R8A8_UNORM, false), DRM_FORMAT_XRGB8888);
    EXPECT_EQ(drm_format(VK_FORMAT_R16G16B16A16_SFLOAT, false), DRM_FORMAT_XBGR16161616F);
}

TEST(DrmFormats, SrgbIsWhatAWindowSystemTakesItFor) {
    EXPECT_EQ(drm_format(VK_FORMAT_B8G8R8A8_SRGB, true),
              drm_format(VK_FORMAT_B8G8R8A8_UNORM, true));
}

TEST(DrmFormats, WhatNobodyShowsHasNone) {
    EXPECT_EQ(drm_format(VK_FORMAT_D32_SFLOAT, false), 0U);
    EXPECT_EQ(drm_format(VK_FORMAT_R5G6B5_UNORM_PACK16, true), 0U);
    EXPECT_EQ(drm_format(VK_FORMAT_UNDEFINED, false), 0U);
}

} // namespace fencebridge::test
