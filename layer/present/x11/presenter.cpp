#include "present/x11/presenter.hpp"

#include "fence/unique_fd.hpp"
#include "report/log.hpp"

#include <drm_fourcc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <iterator>
#include <utility>

namespace fencebridge {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long to wait at the connection before looking whether another thread has read our event. The
// longest is of little weight: as a rule the event's coming ends the wait.
constexpr milliseconds shortest_look(1);
constexpr milliseconds longest_look(10);
// When to ask whether the window is still there: servers before Present 1.4 do not say that it is
// gone.
constexpr milliseconds long_silence(1000);

// presentproto, later than the oldest libxcb: in the pixmap_flags of a ConfigureNotify, and in the
// options of a present.
constexpr uint32_t window_destroyed = 1;
constexpr uint32_t option_async_may_tear = 16;

bool is_fifo(VkPresentModeKHR mode) {
    return mode == VK_PRESENT_MODE_FIFO_KHR || mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR;
}

/// The server tells of all presents to a window, those of other swapchains and other clients too.
/// So no two of ours have the same serial, nor one that others come to who count from 1.
uint32_t next_serial() {
    static std::atomic<uint32_t> last = 0xfb000000;
    return ++last;
}

} // namespace

std::unique_ptr<X11Presenter> X11Presenter::make(std::shared_ptr<const X11Window> window,
                                                 std::vector<dev_t> nodes, VkExtent2D extent) {
    std::unique_ptr<X11Presenter> presenter(
        new X11Presenter(std::move(window), std::move(nodes), extent));
    // Behind the request for events: no change is missed.
    const auto size = presenter->window_->size();
    if (!presenter->events_.is_open() || !size) {
        return nullptr;
    }
    presenter->window_size_ = *size;
    return presenter;
}

X11Presenter::X11Presenter(std::shared_ptr<const X11Window> window, std::vector<dev_t> nodes,
                           VkExtent2D extent)
    : window_(std::move(window)), nodes_(std::move(nodes)), extent_(extent), events_(window_),
      window_size_(extent) {}

X11Presenter::~X11Presenter() {
    if (last_present_.sequence != 0) {
        xcb.discard_reply(window_->connection(), last_present_.sequence);
    }
    free_pixmaps();
}

/// The server keeps what it shows until it shows something else.
void X11Presenter::free_pixmaps() noexcept {
    for (const Pixmap& pixmap : pixmaps_) {
        if (pixmap.id != XCB_NONE) {
            xcb.free_pixmap(window_->connection(), pixmap.id);
        }
    }
    pixmaps_.clear();
    (void)xcb.flush(window_->connection());
}

std::vector<std::vector<uint64_t>> X11Presenter::modifier_sets(std::span<const uint64_t> usable) {
    usable_.assign(usable.begin(), usable.end());
    auto sets = window_->modifier_sets(usable, nodes_);
    best_ = sets.front();
    return sets;
}

/// Whether the server, which has copied where it could have flipped, can be served better: asked
/// once, for each answer costs a round trip.
bool X11Presenter::likes_others_better() noexcept {
    {
        const std::lock_guard guard(mutex_);
        if (asked_again_ || !copies_suboptimal_) {
            return likes_others_;
        }
    }
    asked_again_ = true;
    try {
        likes_others_ = window_->modifier_sets(usable_, nodes_).front() != best_;
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "DRI3: %s", problem.what());
    }
    return likes_others_;
}

uint32_t X11Presenter::fewest_images(VkPresentModeKHR mode) const {
    // One on the screen, one that waits to come there, one that is drawn. Presents that do not wait
    // have one more with the server, which gives what was replaced back at the next refresh; and
    // with MAILBOX, where two may be waiting by then, still another.
    if (is_fifo(mode)) {
        return 3;
    }
    return mode == VK_PRESENT_MODE_MAILBOX_KHR ? 5 : 4;
}

/// XCB_NONE where the server does not take it.
xcb_pixmap_t X11Presenter::make_pixmap(const SwapchainImage& image) {
    const auto dma_buf = image.memory()->dma_buf();
    const ImageLayout& layout = image.layout();
    std::array<ImageLayout::Plane, 4> planes{};
    std::array<UniqueFd, planes.size()> own;
    std::array<int32_t, planes.size()> fds{};
    const size_t count = std::min(layout.planes.size(), planes.size());
    for (size_t i = 0; i < count; ++i) {
        planes.at(i) = layout.planes[i];
        own.at(i) = dma_buf ? UniqueFd::duplicate(dma_buf->fd()) : UniqueFd();
        if (!own.at(i)) {
            return XCB_NONE;
        }
    }
    // libxcb closes what it sends, and what it cannot send.
    std::transform(own.begin(), own.begin() + count, fds.begin(),
                   [](UniqueFd& fd) { return fd.release(); });
    xcb_connection_t* const connection = window_->connection();
    const xcb_pixmap_t pixmap = xcb.generate_id(connection);
    const X11Pixels& pixels = window_->pixels();
    const XcbPtr<xcb_generic_error_t> error(xcb.request_check(
        connection,
        xcb.dri3_pixmap_from_buffers_checked(
            connection, pixmap, window_->id(), static_cast<uint8_t>(count),
            static_cast<uint16_t>(image.extent().width),
            static_cast<uint16_t>(image.extent().height), planes[0].pitch, planes[0].offset,
            planes[1].pitch, planes[1].offset, planes[2].pitch, planes[2].offset, planes[3].pitch,
            planes[3].offset, pixels.depth, pixels.bits_per_pixel, layout.modifier, fds.data())));
    return error || xcb.connection_has_error(connection) != 0 ? xcb_pixmap_t{XCB_NONE} : pixmap;
}

bool X11Presenter::take(std::span<const SwapchainImage> images, ImageReleases& releases) {
    free_pixmaps();
    releases_ = &releases;
    for (const SwapchainImage& image : images) {
        const xcb_pixmap_t pixmap = make_pixmap(image);
        if (pixmap == XCB_NONE) {
            free_pixmaps();
            return false;
        }
        pixmaps_.push_back({.id = pixmap});
    }
    return true;
}

void X11Presenter::handle(const xcb_present_complete_notify_event_t& event) noexcept {
    const auto present = std::find_if(presents_.begin(), presents_.end(), [&](const Present& one) {
        return one.serial == event.serial;
    });
    if (event.kind != XCB_PRESENT_COMPLETE_KIND_PIXMAP || present == presents_.end()) {
        return;
    }
    last_msc_ = event.msc;
    shown_id_ = std::max(shown_id_, present->id);
    // Whatever came before it has been shown or replaced.
    presents_.erase(presents_.begin(), std::next(present));
    if (event.mode == XCB_PRESENT_COMPLETE_MODE_SUBOPTIMAL_COPY) {
        copies_suboptimal_ = true;
    }
}

void X11Presenter::handle(const xcb_present_idle_notify_event_t& event) noexcept {
    const auto pixmap = std::find_if(pixmaps_.begin(), pixmaps_.end(), [&](const Pixmap& one) {
        return one.id == event.pixmap && one.is_lent;
    });
    if (pixmap != pixmaps_.end()) {
        pixmap->is_lent = false;
        releases_->released(static_cast<uint32_t>(pixmap - pixmaps_.begin()));
    }
}

void X11Presenter::handle(const xcb_present_configure_notify_event_t& event) noexcept {
    if ((event.pixmap_flags & window_destroyed) != 0) {
        is_lost_ = true;
    }
    window_size_ = {event.width, event.height};
}

/// What has come. False: nothing. mutex_ is held.
bool X11Presenter::handle_events() noexcept {
    bool has_come = false;
    while (const auto event = events_.take()) {
        has_come = true;
        switch (event->evtype) {
        case XCB_PRESENT_EVENT_COMPLETE_NOTIFY:
            handle(*reinterpret_cast<const xcb_present_complete_notify_event_t*>(event.get()));
            break;
        case XCB_PRESENT_EVENT_IDLE_NOTIFY:
            handle(*reinterpret_cast<const xcb_present_idle_notify_event_t*>(event.get()));
            break;
        case XCB_PRESENT_EVENT_CONFIGURE_NOTIFY:
            handle(*reinterpret_cast<const xcb_present_configure_notify_event_t*>(event.get()));
            break;
        default:
            break;
        }
    }
    if (xcb.connection_has_error(window_->connection()) != 0) {
        is_lost_ = true;
    }
    if (has_come) {
        has_news_ = true;
        changed_.notify_all();
    }
    return has_come;
}

/// Whether words of the window can still be expected: it is there, and the server did not refuse
/// the last present. mutex_ is held.
bool X11Presenter::is_sound() noexcept {
    if (const xcb_void_cookie_t present = std::exchange(last_present_, {}); present.sequence != 0) {
        const XcbPtr<xcb_generic_error_t> error(xcb.request_check(window_->connection(), present));
        if (error) {
            log(LogLevel::Error, "the X server refuses a present: error %u", error->error_code);
            return false;
        }
    }
    return window_->size().has_value();
}

/// Handles events until `is_over()`, which is asked with mutex_ held. VK_SUCCESS, VK_TIMEOUT or
/// VK_ERROR_SURFACE_LOST_KHR.
template<typename IsOver>
VkResult X11Presenter::wait_in_turn(std::unique_lock<std::mutex>& lock, Deadline deadline,
                                    IsOver is_over) noexcept {
    milliseconds look = shortest_look;
    auto last_word = steady_clock::now();
    for (;;) {
        if (handle_events()) {
            last_word = steady_clock::now();
        }
        if (is_over()) {
            return VK_SUCCESS;
        }
        const auto now = steady_clock::now();
        if (!is_lost_ && now - last_word >= long_silence) {
            is_lost_ = !is_sound();
            last_word = now;
        }
        if (is_lost_) {
            return VK_ERROR_SURFACE_LOST_KHR;
        }
        if (deadline && now >= *deadline) {
            return VK_TIMEOUT;
        }
        const auto at_most = [&](milliseconds time) {
            return deadline ? std::min(now + time, *deadline) : now + time;
        };
        if (has_waiter_) {
            // The other one handles the events, and tells of it and of its own end.
            changed_.wait_until(lock, at_most(long_silence));
            continue;
        }
        has_waiter_ = true;
        lock.unlock();
        const bool has_come = events_.wait(at_most(look) - now);
        lock.lock();
        has_waiter_ = false;
        look = has_come ? shortest_look : std::min(2 * look, longest_look);
    }
}

/// The same, and who else waits goes on in its place.
template<typename IsOver>
VkResult X11Presenter::wait(std::unique_lock<std::mutex>& lock, Deadline deadline,
                            IsOver is_over) noexcept {
    const VkResult result = wait_in_turn(lock, deadline, is_over);
    changed_.notify_all();
    return result;
}

VkResult X11Presenter::show(const PresentRequest& request) noexcept {
    const bool others_are_better = likes_others_better();
    std::unique_lock lock(mutex_);
    // Present replaces a pixmap that waits for the same refresh: FIFO has one wait at a time.
    if (is_fifo(request.mode)) {
        const VkResult result = wait(lock, request.deadline, [this] { return presents_.empty(); });
        if (result != VK_SUCCESS && result != VK_TIMEOUT) {
            return result;
        }
    }
    (void)handle_events();
    if (is_lost_) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    uint32_t options = asked_again_ ? XCB_PRESENT_OPTION_NONE : XCB_PRESENT_OPTION_SUBOPTIMAL;
    if (request.mode == VK_PRESENT_MODE_IMMEDIATE_KHR ||
        request.mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR) {
        options |= XCB_PRESENT_OPTION_ASYNC;
        options |= window_->may_tear() ? option_async_may_tear : 0;
    }
    const uint64_t refresh = is_fifo(request.mode) ? last_msc_ + 1 : 0;
    const Present present{.serial = next_serial(), .id = request.id};
    try {
        presents_.push_back(present);
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "a present is not followed: %s", problem.what());
    }
    Pixmap& pixmap = pixmaps_[request.image];
    pixmap.is_lent = true;
    xcb_connection_t* const connection = window_->connection();
    if (last_present_.sequence != 0) {
        xcb.discard_reply(connection, last_present_.sequence);
    }
    last_present_ = xcb.present_pixmap_checked(connection, window_->id(), pixmap.id, present.serial,
                                               XCB_NONE, XCB_NONE, 0, 0, XCB_NONE, XCB_NONE,
                                               XCB_NONE, options, refresh, 0, 0, 0, nullptr);
    if (xcb.flush(connection) <= 0) {
        is_lost_ = true;
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    // Present copies what it can where the sizes differ: it is no more than not as it should be.
    const bool fits = window_size_.width == extent_.width && window_size_.height == extent_.height;
    return fits && !others_are_better ? VK_SUCCESS : VK_SUBOPTIMAL_KHR;
}

VkResult X11Presenter::listen(Deadline deadline) noexcept {
    std::unique_lock lock(mutex_);
    const VkResult result = wait(lock, deadline, [this] { return has_news_; });
    has_news_ = false;
    return result;
}

VkResult X11Presenter::wait_until_shown(uint64_t id, Deadline deadline) noexcept {
    std::unique_lock lock(mutex_);
    return wait(lock, deadline, [&] {
        return shown_id_ >= id || std::none_of(presents_.begin(), presents_.end(),
                                               [&](const Present& one) { return one.id >= id; });
    });
}

} // namespace fencebridge
