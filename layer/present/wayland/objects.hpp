// Owners of Wayland objects.
#pragma once

#include "present/wayland/client.hpp"

#include <memory>

namespace fencebridge {

struct WaylandDeleter {
    void operator()(wl_event_queue* queue) const { wayland.event_queue_destroy(queue); }
    /// The layer has wrappers of the application's surfaces, and no surfaces of its own.
    void operator()(wl_surface* wrapper) const { wayland.proxy_wrapper_destroy(wrapper); }
    void operator()(wl_registry* registry) const { wl_registry_destroy(registry); }
    void operator()(wl_buffer* buffer) const { wl_buffer_destroy(buffer); }
    void operator()(wl_callback* callback) const { wl_callback_destroy(callback); }
    void operator()(zwp_linux_dmabuf_v1* dmabuf) const { zwp_linux_dmabuf_v1_destroy(dmabuf); }
    void operator()(zwp_linux_dmabuf_feedback_v1* feedback) const {
        zwp_linux_dmabuf_feedback_v1_destroy(feedback);
    }
    void operator()(zwp_linux_buffer_params_v1* params) const {
        zwp_linux_buffer_params_v1_destroy(params);
    }
    void operator()(wp_fifo_manager_v1* manager) const { wp_fifo_manager_v1_destroy(manager); }
    void operator()(wp_fifo_v1* fifo) const { wp_fifo_v1_destroy(fifo); }
    void operator()(wp_tearing_control_manager_v1* manager) const {
        wp_tearing_control_manager_v1_destroy(manager);
    }
    void operator()(wp_tearing_control_v1* control) const {
        wp_tearing_control_v1_destroy(control);
    }
    void operator()(wp_linux_drm_syncobj_manager_v1* manager) const {
        wp_linux_drm_syncobj_manager_v1_destroy(manager);
    }
    void operator()(wp_linux_drm_syncobj_surface_v1* surface) const {
        wp_linux_drm_syncobj_surface_v1_destroy(surface);
    }
    void operator()(wp_linux_drm_syncobj_timeline_v1* timeline) const {
        wp_linux_drm_syncobj_timeline_v1_destroy(timeline);
    }
    void operator()(wp_presentation* presentation) const { wp_presentation_destroy(presentation); }
    void operator()(struct wp_presentation_feedback* feedback) const {
        wp_presentation_feedback_destroy(feedback);
    }
};

/// Goes before the event queue that its events come on.
template<typename Object>
using WaylandPtr = std::unique_ptr<Object, WaylandDeleter>;

} // namespace fencebridge
