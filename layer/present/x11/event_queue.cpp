#include "present/x11/event_queue.hpp"

#include <poll.h>
#include <utility>

namespace fencebridge {

X11EventQueue::X11EventQueue(std::shared_ptr<const X11Window> window)
    : window_(std::move(window)), id_(xcb.generate_id(window_->connection())),
      // Before the server knows of it: no event goes to the application.
      queue_(xcb.register_for_special_xge(window_->connection(), xcb.present_id, id_, nullptr)) {
    xcb_connection_t* const connection = window_->connection();
    const XcbPtr<xcb_generic_error_t> error(xcb.request_check(
        connection, xcb.present_select_input_checked(connection, id_, window_->id(),
                                                     XCB_PRESENT_EVENT_MASK_CONFIGURE_NOTIFY |
                                                         XCB_PRESENT_EVENT_MASK_COMPLETE_NOTIFY |
                                                         XCB_PRESENT_EVENT_MASK_IDLE_NOTIFY)));
    is_open_ = queue_ != nullptr && !error && xcb.connection_has_error(connection) == 0;
}

X11EventQueue::~X11EventQueue() {
    xcb_connection_t* const connection = window_->connection();
    // Answered: what comes after it would be the application's. An error where the window is gone
    // already: nobody is to hear of it.
    const XcbPtr<xcb_generic_error_t> error(xcb.request_check(
        connection, xcb.present_select_input_checked(connection, id_, window_->id(),
                                                     XCB_PRESENT_EVENT_MASK_NO_EVENT)));
    if (queue_ != nullptr) {
        xcb.unregister_for_special_event(connection, queue_);
    }
}

XcbPtr<xcb_present_generic_event_t> X11EventQueue::take() noexcept {
    return XcbPtr<xcb_present_generic_event_t>(reinterpret_cast<xcb_present_generic_event_t*>(
        xcb.poll_for_special_event(window_->connection(), queue_)));
}

bool X11EventQueue::wait(std::chrono::nanoseconds time) const noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timespec timeout{.tv_sec = static_cast<time_t>(seconds.count()),
                           .tv_nsec = static_cast<long>((time - seconds).count())};
    pollfd socket{
        .fd = xcb.get_file_descriptor(window_->connection()), .events = POLLIN, .revents = 0};
    // A signal is as good as an end.
    return ::ppoll(&socket, 1, &timeout, nullptr) > 0;
}

} // namespace fencebridge
