// What a window system does for an owned swapchain.
#pragma once

#include <cstdint>

namespace fencebridge {

/// Told by a presenter, from whatever thread it learns it on.
class ImageReleases {
public:
    virtual ~ImageReleases() = default;
    /// The window system has done with the image; fences of its reads may still be pending on the
    /// dma-buf.
    virtual void released(uint32_t image) noexcept = 0;
};

/// One per swapchain. Thread-safe.
class Presenter {
public:
    virtual ~Presenter() = default;

    /// Gives the image to the window system. Its fence is on the dma-buf.
    virtual void show(uint32_t image, ImageReleases& releases) noexcept = 0;
};

/// VK_EXT_headless_surface: nobody looks, so every image comes back at once. Whoever got hold of
/// its dma-buf by other ways finds the fences of the work on it.
class HeadlessPresenter final : public Presenter {
public:
    void show(uint32_t image, ImageReleases& releases) noexcept override {
        releases.released(image);
    }
};

} // namespace fencebridge
