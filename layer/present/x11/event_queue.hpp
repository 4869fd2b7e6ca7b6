// Present's events about a window, in a queue of our own.
#pragma once

#include "present/x11/window.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace fencebridge {

/// Beside the application's events, whose threads may read the connection at the same time.
class X11EventQueue {
public:
    /// Asks for the events. is_open() says whether the server has agreed.
    explicit X11EventQueue(std::shared_ptr<const X11Window> window);
    ~X11EventQueue();
    X11EventQueue(const X11EventQueue&) = delete;
    X11EventQueue& operator=(const X11EventQueue&) = delete;

    bool is_open() const { return is_open_; }

    /// The next event (an xcb_present_*_notify_event_t); null where none has come. Any thread.
    XcbPtr<xcb_present_generic_event_t> take() noexcept;

    /// Until something comes on the connection, which may be another's, or the time is over. An
    /// event may be here without that: another thread may read the connection, and the event with
    /// it. So nobody may wait for long. False: the time was over. Any thread.
    bool wait(std::chrono::nanoseconds time) const noexcept;

private:
    const std::shared_ptr<const X11Window> window_;
    const xcb_present_event_t id_;
    xcb_special_event_t* const queue_;
    bool is_open_ = false;
};

} // namespace fencebridge
