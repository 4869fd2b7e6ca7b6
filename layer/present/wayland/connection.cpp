#include "present/wayland/connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <poll.h>
#include <string_view>

namespace fencebridge {

namespace {

/// poll()'s timeout: whole milliseconds, never too short; -1: for ever.
int milliseconds_until(Deadline deadline) {
    using std::chrono::milliseconds;
    if (!deadline) {
        return -1;
    }
    const auto left = std::chrono::ceil<milliseconds>(*deadline - std::chrono::steady_clock::now());
    constexpr milliseconds longest = std::chrono::hours(24);
    return static_cast<int>(std::clamp(left, milliseconds(0), longest).count());
}

template<typename Interface>
Interface* bind(wl_registry* registry, uint32_t name, const wl_interface* interface,
                uint32_t version) {
    return static_cast<Interface*>(wl_registry_bind(registry, name, interface, version));
}

// linux-dmabuf: 3 brought modifiers, 4 the feedback; what 5 changed does not concern us.
constexpr uint32_t oldest_dmabuf = 3;
constexpr uint32_t newest_dmabuf = 5;

constexpr wl_registry_listener registry_listener{
    .global =
        [](void* data, wl_registry* registry, uint32_t name, const char* interface,
           uint32_t version) {
            auto& connection = *static_cast<WaylandConnection*>(data);
            const std::string_view offered(interface);
            if (offered == zwp_linux_dmabuf_v1_interface.name && version >= oldest_dmabuf) {
                connection.dmabuf.reset(
                    bind<zwp_linux_dmabuf_v1>(registry, name, &zwp_linux_dmabuf_v1_interface,
                                              std::min(version, newest_dmabuf)));
            } else if (offered == wp_presentation_interface.name) {
                connection.presentation.reset(
                    bind<wp_presentation>(registry, name, &wp_presentation_interface, 1));
            } else if (offered == wp_fifo_manager_v1_interface.name) {
                connection.fifo_manager.reset(
                    bind<wp_fifo_manager_v1>(registry, name, &wp_fifo_manager_v1_interface, 1));
            } else if (offered == wp_tearing_control_manager_v1_interface.name) {
                connection.tearing_manager.reset(bind<wp_tearing_control_manager_v1>(
                    registry, name, &wp_tearing_control_manager_v1_interface, 1));
            } else if (offered == wp_linux_drm_syncobj_manager_v1_interface.name) {
                connection.syncobj_manager.reset(bind<wp_linux_drm_syncobj_manager_v1>(
                    registry, name, &wp_linux_drm_syncobj_manager_v1_interface, 1));
            }
        },
    .global_remove = [](void* /*data*/, wl_registry* /*registry*/, uint32_t /*name*/) {},
};

} // namespace

WaylandQueue::WaylandQueue(wl_display* display)
    : display_(display), queue_(wayland.display_create_queue(display)) {}

bool WaylandQueue::dispatch_pending() noexcept {
    const std::lock_guard guard(handling_);
    const int events = wayland.display_dispatch_queue_pending(display_, queue_.get());
    if (events != 0) {
        handled_.fetch_add(1, std::memory_order_release);
    }
    return events >= 0;
}

VkResult WaylandQueue::dispatch(uint64_t seen, Deadline deadline, int or_readable) noexcept {
    // Events that are there already are not waited for behind others.
    if (wayland.display_prepare_read_queue(display_, queue_.get()) != 0) {
        return dispatch_pending() ? VK_SUCCESS : VK_ERROR_SURFACE_LOST_KHR;
    }
    // From here on what comes wakes us.
    if (handled() != seen) {
        wayland.display_cancel_read(display_);
        return VK_SUCCESS;
    }
    for (;;) {
        // What does not fit into the socket now goes with a later flush.
        (void)wayland.display_flush(display_);
        // poll() passes over a descriptor of -1.
        std::array<pollfd, 2> wanted{
            pollfd{.fd = wayland.display_get_fd(display_), .events = POLLIN, .revents = 0},
            pollfd{.fd = or_readable, .events = POLLIN, .revents = 0}};
        const int ready = ::poll(wanted.data(), wanted.size(), milliseconds_until(deadline));
        if (ready > 0 && wanted[0].revents == 0) {
            wayland.display_cancel_read(display_);
            return VK_SUCCESS;
        }
        if (ready > 0) {
            break;
        }
        if (ready == 0 || errno != EINTR) {
            wayland.display_cancel_read(display_);
            return ready == 0 ? VK_TIMEOUT : VK_ERROR_SURFACE_LOST_KHR;
        }
    }
    if (wayland.display_read_events(display_) != 0 || !dispatch_pending()) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    return VK_SUCCESS;
}

bool WaylandQueue::roundtrip() noexcept {
    const std::lock_guard guard(handling_);
    const int events = wayland.display_roundtrip_queue(display_, queue_.get());
    handled_.fetch_add(1, std::memory_order_release);
    return events >= 0;
}

WaylandConnection::WaylandConnection(wl_display* its_display)
    : display(its_display), queue(its_display) {}

std::shared_ptr<SurfaceExtensions> WaylandConnection::extensions() {
    auto kept = extensions_.lock();
    if (!kept || kept->is_drivers) {
        kept = std::make_shared<SurfaceExtensions>();
        extensions_ = kept;
    }
    return kept;
}

std::shared_ptr<WaylandConnection> WaylandConnection::open(wl_display* display,
                                                           wl_surface* surface) {
    if (!WaylandClient::load()) {
        return nullptr;
    }
    auto connection = std::make_shared<WaylandConnection>(display);
    if (connection->queue.get() == nullptr) {
        return nullptr;
    }
    connection->surface.reset(wrap(surface, connection->queue));
    // The registry is the display's; made through a wrapper, it is on our queue from its first
    // event on.
    auto* const display_wrapper = wrap(display, connection->queue);
    if (connection->surface && display_wrapper != nullptr) {
        connection->registry.reset(wl_display_get_registry(display_wrapper));
    }
    if (display_wrapper != nullptr) {
        wayland.proxy_wrapper_destroy(display_wrapper);
    }
    if (!connection->registry) {
        return nullptr;
    }
    wl_registry_add_listener(connection->registry.get(), &registry_listener, connection.get());
    if (!connection->queue.roundtrip()) {
        return nullptr;
    }
    if (connection->dmabuf) {
        connection->formats =
            std::make_unique<DmabufFormats>(connection->dmabuf.get(), connection->surface.get());
    }
    if (!connection->queue.roundtrip()) {
        return nullptr;
    }
    return connection;
}

} // namespace fencebridge
