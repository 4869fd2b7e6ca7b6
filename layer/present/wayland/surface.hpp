// VK_KHR_wayland_surface.
#pragma once

#include "present/surface.hpp"

#include <atomic>
#include <memory>
#include <mutex>

struct wl_display;
struct wl_surface;

namespace fencebridge {

struct WaylandConnection;

class WaylandSurface final : public Surface {
public:
    /// Both are the application's, and outlive the VkSurfaceKHR (Vulkan's own rule). The compositor
    /// is asked when there is need.
    WaylandSurface(wl_display* display, wl_surface* surface)
        : display_(display), surface_(surface) {}
    ~WaylandSurface() override;

    SurfaceKind kind() const override { return SurfaceKind::Wayland; }
    bool offers_explicit_sync() override;
    void had_by_driver(VkDriverId driver) noexcept override;
    std::unique_ptr<Presenter> make_presenter(const Device& device,
                                              const VkSwapchainCreateInfoKHR& info,
                                              const char*& why_not) override;

private:
    std::shared_ptr<WaylandConnection> connection();

    wl_display* const display_;
    wl_surface* const surface_;
    std::atomic<bool> drivers_syncobj_ = false; ///< the driver may have made it for the surface
    std::mutex mutex_;
    std::shared_ptr<WaylandConnection> connection_;
};

} // namespace fencebridge
