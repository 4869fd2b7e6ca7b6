// A window of an X server, and what the server can do for it by DRI3 and Present.
#pragma once

#include "present/x11/client.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace fencebridge {

/// What a window's pixels are. DRI3 has no names of formats: a pixmap has the depth of its window,
/// and its components lie as the window's visual says.
struct X11Pixels {
    uint8_t depth = 0;
    uint8_t bits_per_pixel = 0;
    uint32_t red_mask = 0;

    /// Whether pixels of this Vulkan format are such pixels.
    bool are(VkFormat format) const;
};

/// Connection and window are the application's, and outlive it. Errors of requests that are made
/// for it never reach the application. Any thread.
class X11Window {
public:
    /// Asks the server, once for all. Null, with `why_not` set, where the window cannot be
    /// presented to by DRI3 1.2 and Present 1.2, the first with modifiers.
    static std::shared_ptr<const X11Window> open(xcb_connection_t* connection, xcb_window_t id,
                                                 const char*& why_not);

    xcb_connection_t* connection() const { return connection_; }
    xcb_window_t id() const { return id_; }
    const X11Pixels& pixels() const { return pixels_; }

    /// Asynchronous presents may tear (Present 1.3).
    bool may_tear() const { return may_tear_; }
    /// Presents may be behind linux-drm-syncobj's fences (Present 1.4).
    bool offers_explicit_sync() const { return offers_explicit_sync_; }

    /// Asks for its size. None where the window is gone, or the connection lost.
    std::optional<VkExtent2D> size() const;

    /// Presenter::modifier_sets() for images of the device with these nodes (none: not known). Asks
    /// the server: what it likes best depends on where the window is.
    std::vector<std::vector<uint64_t>> modifier_sets(std::span<const uint64_t> usable,
                                                     std::span<const dev_t> nodes) const;

private:
    X11Window(xcb_connection_t* connection, xcb_window_t id) : connection_(connection), id_(id) {}
    bool has_extensions() const;
    bool read_pixels();
    void read_capabilities();
    void read_device();

    xcb_connection_t* const connection_;
    const xcb_window_t id_;
    X11Pixels pixels_;
    bool may_tear_ = false;
    bool offers_explicit_sync_ = false;
    std::optional<dev_t> device_; ///< the server's
};

} // namespace fencebridge
