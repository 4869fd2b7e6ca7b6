// VK_KHR_xcb_surface and VK_KHR_xlib_surface.
#pragma once

#include "present/surface.hpp"

#include <memory>
#include <mutex>
#include <xcb/xcb.h>

namespace fencebridge {

class X11Window;

class X11Surface final : public Surface {
public:
    /// Both are the application's, and outlive the VkSurfaceKHR (Vulkan's own rule). The server is
    /// asked when there is need. `connection`: null where Xlib's cannot be had; then no swapchain
    /// is ours.
    X11Surface(xcb_connection_t* connection, xcb_window_t window)
        : connection_(connection), id_(window) {}
    ~X11Surface() override;

    SurfaceKind kind() const override { return SurfaceKind::X11; }
    bool offers_explicit_sync() override;
    std::unique_ptr<Presenter> make_presenter(const Device& device,
                                              const VkSwapchainCreateInfoKHR& info,
                                              const char*& why_not) override;

private:
    std::shared_ptr<const X11Window> window(const char*& why_not);

    xcb_connection_t* const connection_;
    const xcb_window_t id_;
    std::mutex mutex_;
    std::shared_ptr<const X11Window> window_;
};

} // namespace fencebridge
