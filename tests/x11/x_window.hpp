// A window on an X server, by a connection of its own, as an application has it.
#pragma once

#include "support/vulkan_memory.hpp"

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>
#include <xcb/xcb.h>

namespace fencebridge::test {

/// By which of its two interfaces an application has its window.
enum class XApi : uint8_t { Xcb, Xlib };

/// Failures abort, as those of a VulkanContext do.
class XWindow {
public:
    /// On `display`, in front of all others, and out of the window manager's hands.
    XWindow(const std::string& display, XApi api, Extent extent);
    ~XWindow();
    XWindow(const XWindow&) = delete;
    XWindow& operator=(const XWindow&) = delete;

    VkSurfaceKHR make_surface(VkInstance instance) const;
    /// The extension that make_surface() takes.
    static const char* surface_extension(XApi api);

    xcb_window_t id() const { return window_; }
    /// Returns when the server has done it.
    void resize(Extent extent);
    void destroy();

    /// X errors that have come to the application so far.
    size_t errors();

private:
    void settle() const;
    struct Xlib;
    std::unique_ptr<Xlib> xlib_; ///< null: xcb's alone
    xcb_connection_t* connection_ = nullptr;
    xcb_window_t window_ = XCB_NONE;
    size_t errors_ = 0;
};

/// How presents to a window end, seen by another client of the server.
class PresentWatcher {
public:
    PresentWatcher(const std::string& display, xcb_window_t window);
    ~PresentWatcher();
    PresentWatcher(const PresentWatcher&) = delete;
    PresentWatcher& operator=(const PresentWatcher&) = delete;

    struct End {
        uint64_t refresh = 0;   ///< Present's MSC
        bool was_shown = false; ///< and not replaced before
    };
    /// Those since the last call.
    std::vector<End> take();

private:
    xcb_connection_t* connection_ = nullptr;
};

} // namespace fencebridge::test
