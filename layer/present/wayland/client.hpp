// libwayland-client, found at run time: the layer is loaded into processes that have no Wayland and
// machines that never heard of it. Includes the protocols' headers with their calls led here.
#pragma once

#include <wayland-client-core.h>

namespace fencebridge {

// The functions of libwayland-client that the layer and the protocols' headers call.
#define FENCEBRIDGE_WAYLAND_FUNCTIONS(F)                                                           \
    F(display_create_queue)                                                                        \
    F(display_dispatch_queue_pending)                                                              \
    F(display_flush)                                                                               \
    F(display_get_error)                                                                           \
    F(display_get_fd)                                                                              \
    F(display_prepare_read_queue)                                                                  \
    F(display_read_events)                                                                         \
    F(display_cancel_read)                                                                         \
    F(display_roundtrip_queue)                                                                     \
    F(event_queue_destroy)                                                                         \
    F(proxy_add_listener)                                                                          \
    F(proxy_create_wrapper)                                                                        \
    F(proxy_destroy)                                                                               \
    F(proxy_get_user_data)                                                                         \
    F(proxy_get_version)                                                                           \
    F(proxy_marshal_flags)                                                                         \
    F(proxy_set_queue)                                                                             \
    F(proxy_set_user_data)                                                                         \
    F(proxy_wrapper_destroy)

struct WaylandClient {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a member's name cannot stand in parentheses.
#define FENCEBRIDGE_MEMBER(name) decltype(&::wl_##name) name = nullptr;
    FENCEBRIDGE_WAYLAND_FUNCTIONS(FENCEBRIDGE_MEMBER)
#undef FENCEBRIDGE_MEMBER

    /// Loads the library on the first call; it is there already where an application has a
    /// wl_display. False where it, or a function in it, is missing (older than 1.20). Any thread.
    static bool load();
};

/// Filled by WaylandClient::load().
extern WaylandClient wayland; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

} // namespace fencebridge

// NOLINTBEGIN(cppcoreguidelines-macro-usage): names that inline functions of the headers use.
#define wl_proxy_add_listener fencebridge::wayland.proxy_add_listener
#define wl_proxy_destroy fencebridge::wayland.proxy_destroy
#define wl_proxy_get_user_data fencebridge::wayland.proxy_get_user_data
#define wl_proxy_get_version fencebridge::wayland.proxy_get_version
#define wl_proxy_marshal_flags fencebridge::wayland.proxy_marshal_flags
#define wl_proxy_set_user_data fencebridge::wayland.proxy_set_user_data
// NOLINTEND(cppcoreguidelines-macro-usage)

// clang-format off: each stands on the ones before it.
#include "wayland-client-protocol.h"
#include "fifo-v1-client-protocol.h"
#include "linux-dmabuf-v1-client-protocol.h"
#include "linux-drm-syncobj-v1-client-protocol.h"
#include "presentation-time-client-protocol.h"
#include "tearing-control-v1-client-protocol.h"
// clang-format on
