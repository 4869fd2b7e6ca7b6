#include "present/wayland/surface.hpp"

#include "dispatch/device.hpp"
#include "present/drm_formats.hpp"
#include "present/in_a_window.hpp"
#include "present/wayland/connection.hpp"
#include "present/wayland/presenter.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

bool serves(VkPresentModeKHR mode) {
    return mode == VK_PRESENT_MODE_FIFO_KHR || mode == VK_PRESENT_MODE_MAILBOX_KHR ||
           mode == VK_PRESENT_MODE_IMMEDIATE_KHR;
}

} // namespace

WaylandSurface::~WaylandSurface() = default;

std::shared_ptr<WaylandConnection> WaylandSurface::connection() {
    const std::lock_guard guard(mutex_);
    if (!connection_) {
        connection_ = WaylandConnection::open(display_, surface_);
    }
    return connection_;
}

bool WaylandSurface::offers_explicit_sync() {
    const auto compositor = connection();
    return compositor && compositor->syncobj_manager != nullptr;
}

void WaylandSurface::had_by_driver(VkDriverId driver) noexcept {
    if (shares_explicit_sync(driver)) {
        drivers_syncobj_ = true;
    }
}

std::unique_ptr<Presenter> WaylandSurface::make_presenter(const Device& device,
                                                          const VkSwapchainCreateInfoKHR& info,
                                                          const char*& why_not) {
    const auto compositor = connection();
    if (!compositor) {
        why_not = "the compositor does not answer, or libwayland-client is older than 1.20";
        return nullptr;
    }
    if (!compositor->formats) {
        why_not = "the compositor offers no linux-dmabuf of version 3 or later";
        return nullptr;
    }
    if (compositor->syncobj_manager && drivers_syncobj_) {
        // A second wp_linux_drm_syncobj_surface_v1 is a protocol error, and so is a buffer without
        // points while the first is there: Mesa keeps it as long as the VkSurfaceKHR.
        why_not = "the driver's own had the surface, and may still have its explicit fences";
        return nullptr;
    }
    const uint32_t format =
        drm_format(info.imageFormat, info.compositeAlpha != VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR);
    if (format == 0 || !compositor->formats->offers(format)) {
        why_not = "the compositor takes no dma-bufs of its format";
        return nullptr;
    }
    if (why_not = not_in_a_window(info); why_not != nullptr) {
        return nullptr;
    }
    if (!std::ranges::all_of(present_modes(info), serves)) {
        why_not = "one of its present modes is none of FIFO, MAILBOX and IMMEDIATE";
        return nullptr;
    }
    return std::make_unique<WaylandPresenter>(compositor, format, device);
}

} // namespace fencebridge
