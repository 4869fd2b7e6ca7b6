// An owned swapchain's images as wl_buffers of a wl_surface.
#pragma once

#include "present/presenter.hpp"
#include "present/wayland/connection.hpp"
#include "present/wayland/explicit_sync.hpp"
#include "present/wayland/present_feedback.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <sys/types.h>
#include <vector>

namespace fencebridge {

class WaylandPresenter final : public Presenter {
public:
    /// `format`: fourcc that the compositor offers. `device`: that makes the images.
    WaylandPresenter(std::shared_ptr<WaylandConnection> connection, uint32_t format,
                     const Device& device);
    ~WaylandPresenter() override;
    WaylandPresenter(const WaylandPresenter&) = delete;
    WaylandPresenter& operator=(const WaylandPresenter&) = delete;

    std::vector<std::vector<uint64_t>> modifier_sets(std::span<const uint64_t> usable) override;
    uint32_t fewest_images(VkPresentModeKHR mode) const override;
    bool take(std::span<const SwapchainImage> images, ImageReleases& releases) override;
    VkResult show(const PresentRequest& request) noexcept override;
    VkResult listen(Deadline deadline) noexcept override;
    VkResult wait_until_shown(uint64_t id, Deadline deadline) noexcept override;
    void yield() noexcept override;

private:
    /// Stands still: its address is the listener's.
    struct Buffer {
        ImageReleases* releases = nullptr;
        uint32_t image = 0;
        WaylandPtr<wl_buffer> proxy;
    };
    friend struct WaylandPresenterListener;

    WaylandPtr<wl_buffer> make_buffer(const SwapchainImage& image);
    VkResult wait_for_frame(Deadline deadline) noexcept;
    bool awaits_frame() noexcept;
    void ask_for_tearing(bool wanted) noexcept;
    void damage(const PresentRequest& request) noexcept;
    bool is_suboptimal() noexcept;

    const std::shared_ptr<WaylandConnection> connection_;
    const uint32_t format_;
    const std::vector<dev_t> nodes_;
    std::vector<uint64_t> usable_; ///< the driver's modifiers
    std::vector<uint64_t> best_;   ///< the set that the compositor liked best for them
    uint32_t generation_ = 0;      ///< of the formats, when that was
    bool suboptimal_ = false;
    std::deque<Buffer> buffers_; ///< by image
    /// Null: the last frame was taken, or is not waited for. With the queue held.
    WaylandPtr<wl_callback> frame_;
    uint64_t seen_ = 0; ///< of the queue's events, when listen() last returned
    PresentFeedback feedback_;
    const std::shared_ptr<SurfaceExtensions> extensions_;
    std::unique_ptr<ExplicitSync> explicit_sync_; ///< null: wl_buffer.release gives images back
};

} // namespace fencebridge
