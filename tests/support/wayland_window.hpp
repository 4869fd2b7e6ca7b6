// A toplevel window on a Wayland compositor, as a small application would make it.
#pragma once

#include "support/vulkan_context.hpp"
#include "support/vulkan_memory.hpp"

#include <vulkan/vulkan_core.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

struct wl_display;
struct wl_surface;

namespace fencebridge::test {

/// The options of a context that presents to it.
ContextOptions with_wayland(ContextOptions options = {});

/// One connection to a compositor ($WAYLAND_DISPLAY). Failures abort with a message. Several
/// threads may use it.
class WaylandDisplay {
public:
    WaylandDisplay();
    ~WaylandDisplay();
    WaylandDisplay(const WaylandDisplay&) = delete;
    WaylandDisplay& operator=(const WaylandDisplay&) = delete;

    wl_display* handle() const;

    /// Everything that was sent is answered. False once the connection is lost.
    bool roundtrip() const;

    /// The number that the next object on the connection would get.
    uint32_t next_object() const;

    /// What the compositor accused the client of, or "".
    std::string protocol_error() const;

private:
    friend class WaylandWindow;
    struct Globals;
    struct Events;
    std::unique_ptr<Globals> globals_;
};

/// Configured and ready for its first frame. One thread.
class WaylandWindow {
public:
    WaylandWindow(const WaylandDisplay& display, const std::string& title);
    ~WaylandWindow();
    WaylandWindow(const WaylandWindow&) = delete;
    WaylandWindow& operator=(const WaylandWindow&) = delete;

    wl_surface* handle() const;

    /// From now on: whether the surface's next commit has been taken by the compositor for a
    /// picture.
    void watch_next_frame();
    bool frame_was_taken() const;
    /// Handles events until it has, at most so long. What frame_was_taken() says then.
    bool wait_for_frame(std::chrono::milliseconds timeout) const;

private:
    struct Objects;
    struct Events;
    const WaylandDisplay& display_;
    std::unique_ptr<Objects> objects_;
};

/// VK_KHR_wayland_surface on a window; goes before it.
class WaylandVkSurface {
public:
    WaylandVkSurface(const VulkanContext& context, const WaylandDisplay& display,
                     const WaylandWindow& window);
    ~WaylandVkSurface();
    WaylandVkSurface(const WaylandVkSurface&) = delete;
    WaylandVkSurface& operator=(const WaylandVkSurface&) = delete;

    VkSurfaceKHR handle = VK_NULL_HANDLE;

private:
    const VulkanContext& context_;
};

} // namespace fencebridge::test
