// linux-drm-syncobj for an owned swapchain: the fences that are on its dma-bufs, also as points of
// timelines that the compositor is told of. For compositors, and GPU drivers below them, that do
// not look at a dma-buf's fences.
#pragma once

#include "dispatch/device.hpp"
#include "fence/syncobj.hpp"
#include "fence/unique_fd.hpp"
#include "present/presenter.hpp"
#include "present/wayland/connection.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>

namespace fencebridge {

/// One per presenter. While it is there its images come back by it and not by wl_buffer.release.
/// take() is for before the first present; of the others one thread may show while another looks
/// for images: a present that was put off is shown by whoever resolves it.
class ExplicitSync {
public:
    /// Null where the compositor has none of it, no DRM device at hand has timelines, or the
    /// settings do not want it.
    static std::unique_ptr<ExplicitSync> make(WaylandConnection& connection, const Device& device);

    /// `connection` outlives it.
    ExplicitSync(WaylandConnection& connection, const Device& device,
                 std::shared_ptr<const SyncobjDevice> timelines);

    /// The presenter's images, in place of those from before. `images` and `releases` outlive this
    /// object. False: out of memory or descriptors; then nothing is set on the surface.
    bool take(std::span<const SwapchainImage> images, ImageReleases& releases);

    /// Part of the commit that attaches the image, whose fence is on its dma-buf.
    void show(uint32_t image) noexcept;

    /// Readable when there may be something to collect.
    int event() const { return event_.get(); }
    /// Until when to wait for it, at most: earlier where the kernel could not promise to tell.
    Deadline patience(Deadline deadline);
    /// Gives back the images that the compositor has done with, each with the fence of its reads on
    /// its dma-buf. Whether there were any.
    bool collect() noexcept;

private:
    struct Image {
        Image(std::shared_ptr<const SyncobjDevice> device, std::shared_ptr<DmaBuf> its_buffer)
            : buffer(std::move(its_buffer)), timeline(std::move(device)) {}
        std::shared_ptr<DmaBuf> buffer;
        SyncobjTimeline timeline; ///< of the compositor's releases: their order is nobody's
        WaylandPtr<wp_linux_drm_syncobj_timeline_v1> proxy;
        uint64_t point = 0; ///< of its last release
        bool is_shown = false;
    };

    WaylandPtr<wp_linux_drm_syncobj_timeline_v1> give(const SyncobjTimeline& timeline) const;
    void set_acquire_point(const DmaBuf& buffer) noexcept;
    bool give_back(uint32_t index) noexcept;

    WaylandConnection& connection_;
    const Device& device_;
    const std::shared_ptr<const SyncobjDevice> timelines_;
    UniqueFd event_;
    std::mutex mutex_;             ///< of what follows, but for what take() alone sets
    bool must_look_again_ = false; ///< nothing will tell of some image
    ImageReleases* releases_ = nullptr;
    SyncobjTimeline drawn_; ///< of the presents' work
    WaylandPtr<wp_linux_drm_syncobj_timeline_v1> drawn_proxy_;
    uint64_t drawn_point_ = 0;
    std::deque<Image> images_;
    std::shared_ptr<SurfaceExtensions> extensions_;
};

} // namespace fencebridge
