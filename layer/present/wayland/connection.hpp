// A surface's way to its compositor: an event queue of our own, and what is on it.
#pragma once

#include "present/presenter.hpp"
#include "present/wayland/dmabuf_formats.hpp"
#include "present/wayland/objects.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace fencebridge {

/// An event queue beside the application's, whose threads may use the display at the same time.
/// Several threads may dispatch it: one after the other handles events.
class WaylandQueue {
public:
    explicit WaylandQueue(wl_display* display);

    wl_event_queue* get() const { return queue_.get(); }

    /// Handles what has come already; what has not is not waited for. False: the connection is
    /// lost.
    bool dispatch_pending() noexcept;
    /// Changes whenever events have been handled, by whichever thread.
    uint64_t handled() const noexcept { return handled_.load(std::memory_order_acquire); }
    /// Waits until events were handled that are not in `seen` (handled(), from before the caller
    /// looked for what it waits for: another thread may have handled it since), or `or_readable` (a
    /// descriptor; -1: none) can be read. VK_SUCCESS, VK_TIMEOUT or VK_ERROR_SURFACE_LOST_KHR.
    VkResult dispatch(uint64_t seen, Deadline deadline, int or_readable = -1) noexcept;
    /// As long as it is kept no event is handled: for destroying what events are about.
    std::unique_lock<std::mutex> hold() { return std::unique_lock(handling_); }
    /// Everything that was asked before is answered after it. False: the connection is lost.
    bool roundtrip() noexcept;

private:
    wl_display* const display_;
    WaylandPtr<wl_event_queue> queue_;
    std::mutex handling_;
    std::atomic<uint64_t> handled_ = 0;
};

/// A proxy of the same object whose new objects have their events on `queue`. Null where there is
/// no memory. Ends with wl_proxy_wrapper_destroy.
template<typename Object>
Object* wrap(Object* original, const WaylandQueue& queue) {
    auto* const wrapper = static_cast<Object*>(wayland.proxy_create_wrapper(original));
    if (wrapper != nullptr) {
        wayland.proxy_set_queue(reinterpret_cast<wl_proxy*>(wrapper), queue.get());
    }
    return wrapper;
}

/// What a wl_surface may have one of only (a second is a protocol error). It is there as long as a
/// presenter keeps it: after that a swapchain of the driver's may make its own.
struct SurfaceExtensions {
    /// The surface is the driver's from now on.
    void yield() noexcept {
        fifo.reset();
        tearing.reset();
        syncobj.reset();
        is_drivers = true;
    }

    bool is_drivers = false;
    WaylandPtr<wp_fifo_v1> fifo;
    WaylandPtr<wp_tearing_control_v1> tearing;
    bool may_tear = false; ///< what tearing control was told last
    /// While it is there the surface's buffers need points.
    WaylandPtr<wp_linux_drm_syncobj_surface_v1> syncobj;
};

/// One per VkSurfaceKHR.
struct WaylandConnection {
    /// Asks the compositor what it has. Null where there is no such library, or the connection is
    /// lost.
    static std::shared_ptr<WaylandConnection> open(wl_display* display, wl_surface* surface);

    explicit WaylandConnection(wl_display* its_display);

    wl_display* const display;
    WaylandQueue queue;
    WaylandPtr<wl_surface> surface; ///< the application's, with our queue
    WaylandPtr<wl_registry> registry;
    WaylandPtr<zwp_linux_dmabuf_v1> dmabuf; ///< null: not offered, as those that follow
    std::unique_ptr<DmabufFormats> formats;
    WaylandPtr<wp_presentation> presentation;
    WaylandPtr<wp_fifo_manager_v1> fifo_manager;
    WaylandPtr<wp_tearing_control_manager_v1> tearing_manager;
    WaylandPtr<wp_linux_drm_syncobj_manager_v1> syncobj_manager;

    /// Those of the presenters that have the surface, or new ones.
    std::shared_ptr<SurfaceExtensions> extensions();

private:
    std::weak_ptr<SurfaceExtensions> extensions_;
};

} // namespace fencebridge
