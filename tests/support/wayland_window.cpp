#include "support/wayland_window.hpp"

#include "xdg-shell-client-protocol.h"

#include <vulkan/vulkan_wayland.h>
#include <wayland-client.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <string_view>
#include <system_error>

namespace fencebridge::test {

namespace {

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "Wayland: %s\n", what);
    std::abort();
}

} // namespace

ContextOptions with_wayland(ContextOptions options) {
    options.instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                   VK_KHR_WAYLAND_SURFACE_EXTENSION_NAME};
    options.device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME};
    return options;
}

struct WaylandDisplay::Globals {
    wl_display* display = nullptr;
    wl_registry* registry = nullptr;
    wl_compositor* compositor = nullptr;
    xdg_wm_base* shell = nullptr;
};

/// The protocols' events.
struct WaylandDisplay::Events {
    static constexpr wl_registry_listener registry_events{
        .global =
            [](void* data, wl_registry* registry, uint32_t name, const char* interface,
               uint32_t version) {
                auto& self = *static_cast<Globals*>(data);
                const std::string_view offered(interface);
                if (offered == wl_compositor_interface.name) {
                    self.compositor = static_cast<wl_compositor*>(wl_registry_bind(
                        registry, name, &wl_compositor_interface, std::min(version, 4U)));
                } else if (offered == xdg_wm_base_interface.name) {
                    self.shell = static_cast<xdg_wm_base*>(
                        wl_registry_bind(registry, name, &xdg_wm_base_interface, 1));
                }
            },
        .global_remove = [](void* /*data*/, wl_registry* /*registry*/, uint32_t /*name*/) {},
    };
    static constexpr xdg_wm_base_listener shell_events{
        .ping = [](void* /*data*/, xdg_wm_base* shell,
                   uint32_t serial) { xdg_wm_base_pong(shell, serial); },
    };
};

WaylandDisplay::WaylandDisplay() : globals_(std::make_unique<Globals>()) {
    Globals& self = *globals_;
    self.display = wl_display_connect(nullptr);
    if (self.display == nullptr) {
        fail("no compositor answers");
    }
    self.registry = wl_display_get_registry(self.display);
    wl_registry_add_listener(self.registry, &Events::registry_events, &self);
    if (!roundtrip() || self.compositor == nullptr || self.shell == nullptr) {
        fail("no wl_compositor or no xdg_wm_base");
    }
    xdg_wm_base_add_listener(self.shell, &Events::shell_events, &self);
}

WaylandDisplay::~WaylandDisplay() {
    xdg_wm_base_destroy(globals_->shell);
    wl_compositor_destroy(globals_->compositor);
    wl_registry_destroy(globals_->registry);
    wl_display_disconnect(globals_->display);
}

wl_display* WaylandDisplay::handle() const {
    return globals_->display;
}

bool WaylandDisplay::roundtrip() const {
    return wl_display_roundtrip(globals_->display) >= 0;
}

uint32_t WaylandDisplay::next_object() const {
    wl_callback* const probe = wl_display_sync(globals_->display);
    const uint32_t number = wl_proxy_get_id(reinterpret_cast<wl_proxy*>(probe));
    wl_callback_destroy(probe);
    roundtrip();
    return number;
}

std::string WaylandDisplay::protocol_error() const {
    if (wl_display_get_error(globals_->display) == 0) {
        return "";
    }
    const wl_interface* interface = nullptr;
    const uint32_t code = wl_display_get_protocol_error(globals_->display, &interface, nullptr);
    return std::string(interface != nullptr ? interface->name : "connection") + " error " +
           std::to_string(code) + ": " +
           std::generic_category().message(wl_display_get_error(globals_->display));
}

struct WaylandWindow::Objects {
    wl_surface* surface = nullptr;
    xdg_surface* role = nullptr;
    xdg_toplevel* toplevel = nullptr;
    wl_callback* frame = nullptr;
    bool configured = false;
};

/// The protocols' events.
struct WaylandWindow::Events {
    static constexpr xdg_surface_listener role_events{
        .configure =
            [](void* data, xdg_surface* role, uint32_t serial) {
                xdg_surface_ack_configure(role, serial);
                static_cast<Objects*>(data)->configured = true;
            },
    };
    // Its size is its own business, whatever the compositor would like.
    static constexpr xdg_toplevel_listener toplevel_events{
        .configure = [](void* /*data*/, xdg_toplevel* /*toplevel*/, int32_t /*width*/,
                        int32_t /*height*/, wl_array* /*states*/) {},
        .close = [](void* /*data*/, xdg_toplevel* /*toplevel*/) {},
        .configure_bounds = [](void* /*data*/, xdg_toplevel* /*toplevel*/, int32_t /*width*/,
                               int32_t /*height*/) {},
        .wm_capabilities = [](void* /*data*/, xdg_toplevel* /*toplevel*/,
                              wl_array* /*capabilities*/) {},
    };
    static constexpr wl_callback_listener frame_events{
        .done =
            [](void* data, wl_callback* callback, uint32_t /*time*/) {
                wl_callback_destroy(callback);
                static_cast<Objects*>(data)->frame = nullptr;
            },
    };
};

WaylandWindow::WaylandWindow(const WaylandDisplay& display, const std::string& title)
    : display_(display), objects_(std::make_unique<Objects>()) {
    Objects& self = *objects_;
    self.surface = wl_compositor_create_surface(display.globals_->compositor);
    self.role = xdg_wm_base_get_xdg_surface(display.globals_->shell, self.surface);
    xdg_surface_add_listener(self.role, &Events::role_events, &self);
    self.toplevel = xdg_surface_get_toplevel(self.role);
    xdg_toplevel_add_listener(self.toplevel, &Events::toplevel_events, &self);
    xdg_toplevel_set_title(self.toplevel, title.c_str());
    xdg_toplevel_set_app_id(self.toplevel, "fencebridge-test");
    wl_surface_commit(self.surface);
    while (!self.configured) {
        if (wl_display_dispatch(display.handle()) < 0) {
            fail("the window is not configured");
        }
    }
}

WaylandWindow::~WaylandWindow() {
    if (objects_->frame != nullptr) {
        wl_callback_destroy(objects_->frame);
    }
    xdg_toplevel_destroy(objects_->toplevel);
    xdg_surface_destroy(objects_->role);
    wl_surface_destroy(objects_->surface);
    display_.roundtrip();
}

wl_surface* WaylandWindow::handle() const {
    return objects_->surface;
}

void WaylandWindow::watch_next_frame() {
    Objects& self = *objects_;
    if (self.frame != nullptr) {
        wl_callback_destroy(self.frame);
    }
    self.frame = wl_surface_frame(self.surface);
    wl_callback_add_listener(self.frame, &Events::frame_events, &self);
}

bool WaylandWindow::frame_was_taken() const {
    return objects_->frame == nullptr;
}

bool WaylandWindow::wait_for_frame(std::chrono::milliseconds timeout) const {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + timeout;
    wl_display* const display = display_.handle();
    while (!frame_was_taken() && Clock::now() < deadline) {
        if (wl_display_prepare_read(display) != 0) {
            wl_display_dispatch_pending(display);
            continue;
        }
        wl_display_flush(display);
        pollfd socket{.fd = wl_display_get_fd(display), .events = POLLIN, .revents = 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (::poll(&socket, 1, static_cast<int>(std::max<int64_t>(left.count(), 0))) > 0) {
            wl_display_read_events(display);
        } else {
            wl_display_cancel_read(display);
        }
        wl_display_dispatch_pending(display);
    }
    return frame_was_taken();
}

WaylandVkSurface::WaylandVkSurface(const VulkanContext& context, const WaylandDisplay& display,
                                   const WaylandWindow& window)
    : context_(context) {
    const VkWaylandSurfaceCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_WAYLAND_SURFACE_CREATE_INFO_KHR,
        .display = display.handle(),
        .surface = window.handle(),
    };
    const auto create = reinterpret_cast<PFN_vkCreateWaylandSurfaceKHR>(
        vkGetInstanceProcAddr(context.instance, "vkCreateWaylandSurfaceKHR"));
    if (create == nullptr) {
        fail("no vkCreateWaylandSurfaceKHR");
    }
    FB_VK(create(context.instance, &info, nullptr, &handle));
}

WaylandVkSurface::~WaylandVkSurface() {
    vkDestroySurfaceKHR(context_.instance, handle, nullptr);
}

} // namespace fencebridge::test
