#include "x11/x_window.hpp"

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <xcb/present.h>

// Last, with Xlib's macros.
#include <X11/Xlib-xcb.h>
#define VK_USE_PLATFORM_XCB_KHR
#define VK_USE_PLATFORM_XLIB_KHR
#include <vulkan/vulkan.h>

namespace fencebridge::test {

namespace {

template<typename Answer>
struct Freed {
    Answer* const answer;
    explicit Freed(Answer* its_answer) : answer(its_answer) {}
    ~Freed() { std::free(answer); }
    Freed(const Freed&) = delete;
    Freed& operator=(const Freed&) = delete;
};

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "X server: %s\n", what);
    std::abort();
}

std::atomic<size_t> xlib_errors; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

int count_error(Display* /*display*/, XErrorEvent* /*event*/) {
    ++xlib_errors;
    return 0;
}

xcb_connection_t* connect(const std::string& display) {
    xcb_connection_t* const connection = xcb_connect(display.c_str(), nullptr);
    if (xcb_connection_has_error(connection) != 0) {
        fail("no connection");
    }
    return connection;
}

} // namespace

struct XWindow::Xlib {
    explicit Xlib(const std::string& name) : display(XOpenDisplay(name.c_str())) {
        if (display == nullptr) {
            fail("no display");
        }
        xlib_errors = 0;
        XSetErrorHandler(count_error);
    }
    ~Xlib() { XCloseDisplay(display); }
    Xlib(const Xlib&) = delete;
    Xlib& operator=(const Xlib&) = delete;
    Display* const display;
};

XWindow::XWindow(const std::string& display, XApi api, Extent extent) {
    if (api == XApi::Xlib) {
        xlib_ = std::make_unique<Xlib>(display);
        connection_ = XGetXCBConnection(xlib_->display);
    } else {
        connection_ = connect(display);
    }
    const xcb_screen_t* const screen = xcb_setup_roots_iterator(xcb_get_setup(connection_)).data;
    window_ = xcb_generate_id(connection_);
    constexpr uint32_t out_of_hands = 1;
    xcb_create_window(connection_, XCB_COPY_FROM_PARENT, window_, screen->root, 0, 0,
                      static_cast<uint16_t>(extent.width), static_cast<uint16_t>(extent.height), 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, screen->root_visual, XCB_CW_OVERRIDE_REDIRECT,
                      &out_of_hands);
    xcb_map_window(connection_, window_);
    settle();
}

XWindow::~XWindow() {
    if (!xlib_) {
        xcb_disconnect(connection_);
    }
}

/// Until the server has done everything that it was asked for.
void XWindow::settle() const {
    const Freed done(
        xcb_get_input_focus_reply(connection_, xcb_get_input_focus(connection_), nullptr));
    if (done.answer == nullptr) {
        fail("the connection is lost");
    }
}

const char* XWindow::surface_extension(XApi api) {
    return api == XApi::Xlib ? VK_KHR_XLIB_SURFACE_EXTENSION_NAME
                             : VK_KHR_XCB_SURFACE_EXTENSION_NAME;
}

VkSurfaceKHR XWindow::make_surface(VkInstance instance) const {
    VkSurfaceKHR surface = VK_NULL_HANDLE;
    VkResult result = VK_ERROR_UNKNOWN;
    if (xlib_) {
        const VkXlibSurfaceCreateInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_XLIB_SURFACE_CREATE_INFO_KHR,
            .dpy = xlib_->display,
            .window = window_,
        };
        result = reinterpret_cast<PFN_vkCreateXlibSurfaceKHR>(vkGetInstanceProcAddr(
            instance, "vkCreateXlibSurfaceKHR"))(instance, &info, nullptr, &surface);
    } else {
        const VkXcbSurfaceCreateInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_XCB_SURFACE_CREATE_INFO_KHR,
            .connection = connection_,
            .window = window_,
        };
        result = reinterpret_cast<PFN_vkCreateXcbSurfaceKHR>(vkGetInstanceProcAddr(
            instance, "vkCreateXcbSurfaceKHR"))(instance, &info, nullptr, &surface);
    }
    if (result != VK_SUCCESS) {
        fail("no surface");
    }
    return surface;
}

void XWindow::resize(Extent extent) {
    const std::array<uint32_t, 2> size{extent.width, extent.height};
    xcb_configure_window(connection_, window_, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT,
                         size.data());
    settle();
}

void XWindow::destroy() {
    xcb_destroy_window(connection_, window_);
    settle();
}

size_t XWindow::errors() {
    settle();
    if (xlib_) {
        XSync(xlib_->display, False);
        return xlib_errors;
    }
    for (;;) {
        const Freed event(xcb_poll_for_event(connection_));
        if (event.answer == nullptr) {
            return errors_;
        }
        errors_ += event.answer->response_type == 0 ? 1 : 0;
    }
}

PresentWatcher::PresentWatcher(const std::string& display, xcb_window_t window)
    : connection_(connect(display)) {
    const xcb_query_extension_reply_t* const present =
        xcb_get_extension_data(connection_, &xcb_present_id);
    if (present == nullptr || present->present == 0) {
        fail("no Present");
    }
    const Freed version(xcb_present_query_version_reply(
        connection_, xcb_present_query_version(connection_, 1, 2), nullptr));
    const Freed error(xcb_request_check(
        connection_,
        xcb_present_select_input_checked(connection_, xcb_generate_id(connection_), window,
                                         XCB_PRESENT_EVENT_MASK_COMPLETE_NOTIFY)));
    if (error.answer != nullptr) {
        fail("presents cannot be watched");
    }
}

PresentWatcher::~PresentWatcher() {
    xcb_disconnect(connection_);
}

std::vector<PresentWatcher::End> PresentWatcher::take() {
    std::vector<End> ends;
    const Freed done(
        xcb_get_input_focus_reply(connection_, xcb_get_input_focus(connection_), nullptr));
    for (;;) {
        const Freed event(xcb_poll_for_event(connection_));
        if (event.answer == nullptr) {
            return ends;
        }
        // It has asked for no others.
        if ((event.answer->response_type & 0x7f) == XCB_GE_GENERIC) {
            const auto* const end =
                reinterpret_cast<const xcb_present_complete_notify_event_t*>(event.answer);
            ends.push_back({end->msc, end->mode != XCB_PRESENT_COMPLETE_MODE_SKIP});
        }
    }
}

} // namespace fencebridge::test
