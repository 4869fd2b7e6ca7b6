// libxcb with DRI3 and Present, found at run time: the layer is loaded into processes that have no
// X server and machines that never heard of one.
#pragma once

#include <cstdlib>
#include <memory>
#include <xcb/dri3.h>
#include <xcb/present.h>
#include <xcb/xcb.h>

/// Xlib's Display, whose header is full of macros.
struct _XDisplay;

namespace fencebridge {

// What the layer uses of each library: its functions, and the names of two extensions.
#define FENCEBRIDGE_XCB_FUNCTIONS(F)                                                               \
    F(connection_has_error)                                                                        \
    F(depth_next)                                                                                  \
    F(depth_visuals)                                                                               \
    F(depth_visuals_length)                                                                        \
    F(discard_reply)                                                                               \
    F(flush)                                                                                       \
    F(free_pixmap)                                                                                 \
    F(generate_id)                                                                                 \
    F(get_extension_data)                                                                          \
    F(get_file_descriptor)                                                                         \
    F(get_geometry)                                                                                \
    F(get_geometry_reply)                                                                          \
    F(get_setup)                                                                                   \
    F(get_window_attributes)                                                                       \
    F(get_window_attributes_reply)                                                                 \
    F(poll_for_special_event)                                                                      \
    F(register_for_special_xge)                                                                    \
    F(request_check)                                                                               \
    F(screen_allowed_depths_iterator)                                                              \
    F(screen_next)                                                                                 \
    F(setup_pixmap_formats)                                                                        \
    F(setup_pixmap_formats_length)                                                                 \
    F(setup_roots_iterator)                                                                        \
    F(unregister_for_special_event)
#define FENCEBRIDGE_XCB_DRI3_FUNCTIONS(F)                                                          \
    F(dri3_get_supported_modifiers)                                                                \
    F(dri3_get_supported_modifiers_reply)                                                          \
    F(dri3_get_supported_modifiers_screen_modifiers)                                               \
    F(dri3_get_supported_modifiers_screen_modifiers_length)                                        \
    F(dri3_get_supported_modifiers_window_modifiers)                                               \
    F(dri3_get_supported_modifiers_window_modifiers_length)                                        \
    F(dri3_id)                                                                                     \
    F(dri3_open)                                                                                   \
    F(dri3_open_reply)                                                                             \
    F(dri3_open_reply_fds)                                                                         \
    F(dri3_pixmap_from_buffers_checked)                                                            \
    F(dri3_query_version)                                                                          \
    F(dri3_query_version_reply)
#define FENCEBRIDGE_XCB_PRESENT_FUNCTIONS(F)                                                       \
    F(present_id)                                                                                  \
    F(present_pixmap_checked)                                                                      \
    F(present_query_capabilities)                                                                  \
    F(present_query_capabilities_reply)                                                            \
    F(present_query_version)                                                                       \
    F(present_query_version_reply)                                                                 \
    F(present_select_input_checked)

struct XcbClient {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a member's name cannot stand in parentheses.
#define FENCEBRIDGE_MEMBER(name) decltype(&::xcb_##name) name = nullptr;
    FENCEBRIDGE_XCB_FUNCTIONS(FENCEBRIDGE_MEMBER)
    FENCEBRIDGE_XCB_DRI3_FUNCTIONS(FENCEBRIDGE_MEMBER)
    FENCEBRIDGE_XCB_PRESENT_FUNCTIONS(FENCEBRIDGE_MEMBER)
#undef FENCEBRIDGE_MEMBER

    /// Loads the libraries on the first call; libxcb is there already where an application has a
    /// connection. False where one of them, or a function, is missing (older than 1.13). Any
    /// thread.
    static bool load();
};

/// Filled by XcbClient::load().
extern XcbClient xcb; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// The connection under Xlib's. Null where there is no libX11-xcb. Any thread.
xcb_connection_t* xcb_connection_of(_XDisplay* display);

struct XcbFree {
    void operator()(void* memory) const { std::free(memory); }
};
/// An answer, event or error: what libxcb allocates and its caller frees.
template<typename Answer>
using XcbPtr = std::unique_ptr<Answer, XcbFree>;

} // namespace fencebridge
