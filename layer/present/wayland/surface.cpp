#include "present/wayland/surface.hpp"

#include "dispatch/chain.hpp"
#include "dispatch/device.hpp"
#include "present/drm_device.hpp"
#include "present/drm_formats.hpp"
#include "present/wayland/connection.hpp"
#include "present/wayland/presenter.hpp"

namespace fencebridge {

namespace {

/// What no owned swapchain can do on Wayland; null where there is nothing of the kind.
const char* unserved(const VkSwapchainCreateInfoKHR& info) {
    if (info.imageColorSpace != VK_COLOR_SPACE_SRGB_NONLINEAR_KHR &&
        info.imageColorSpace != VK_COLOR_SPACE_PASS_THROUGH_EXT) {
        return "its colour space is not sRGB";
    }
    if (info.preTransform != VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR &&
        info.preTransform != VK_SURFACE_TRANSFORM_INHERIT_BIT_KHR) {
        return "its images are turned";
    }
    if (info.presentMode != VK_PRESENT_MODE_FIFO_KHR &&
        info.presentMode != VK_PRESENT_MODE_MAILBOX_KHR &&
        info.presentMode != VK_PRESENT_MODE_IMMEDIATE_KHR) {
        return "its present mode is none of FIFO, MAILBOX and IMMEDIATE";
    }
    if (info.imageArrayLayers != 1) {
        return "its images have layers";
    }
    const auto* scaling = find_in_chain<VkSwapchainPresentScalingCreateInfoEXT>(
        info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_SCALING_CREATE_INFO_EXT);
    if (scaling != nullptr && scaling->scalingBehavior != 0 &&
        scaling->scalingBehavior != VK_PRESENT_SCALING_ONE_TO_ONE_BIT_EXT) {
        return "its images are scaled";
    }
    return nullptr;
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
    return compositor && compositor->offers_syncobj;
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
    const uint32_t format =
        drm_format(info.imageFormat, info.compositeAlpha != VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR);
    if (format == 0 || !compositor->formats->offers(format)) {
        why_not = "the compositor takes no dma-bufs of its format";
        return nullptr;
    }
    if (why_not = unserved(info); why_not != nullptr) {
        return nullptr;
    }
    return std::make_unique<WaylandPresenter>(compositor, format, drm_nodes(device));
}

} // namespace fencebridge
