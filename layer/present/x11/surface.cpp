#include "present/x11/surface.hpp"

#include "dispatch/device.hpp"
#include "present/drm_device.hpp"
#include "present/in_a_window.hpp"
#include "present/x11/presenter.hpp"
#include "present/x11/window.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

bool serves(VkPresentModeKHR mode) {
    return mode == VK_PRESENT_MODE_FIFO_KHR || mode == VK_PRESENT_MODE_FIFO_RELAXED_KHR ||
           mode == VK_PRESENT_MODE_MAILBOX_KHR || mode == VK_PRESENT_MODE_IMMEDIATE_KHR;
}

} // namespace

X11Surface::~X11Surface() = default;

std::shared_ptr<const X11Window> X11Surface::window(const char*& why_not) {
    if (connection_ == nullptr) {
        why_not = "there is no libX11-xcb";
        return nullptr;
    }
    const std::lock_guard guard(mutex_);
    if (!window_) {
        window_ = X11Window::open(connection_, id_, why_not);
    }
    return window_;
}

bool X11Surface::offers_explicit_sync() {
    const char* why_not = nullptr;
    const auto open = window(why_not);
    return open && open->offers_explicit_sync();
}

std::unique_ptr<Presenter> X11Surface::make_presenter(const Device& device,
                                                      const VkSwapchainCreateInfoKHR& info,
                                                      const char*& why_not) {
    const auto open = window(why_not);
    if (!open) {
        return nullptr;
    }
    if (!open->pixels().are(info.imageFormat)) {
        why_not = "the window's visual has not its format";
        return nullptr;
    }
    if (why_not = not_in_a_window(info); why_not != nullptr) {
        return nullptr;
    }
    if (!std::ranges::all_of(present_modes(info), serves)) {
        why_not = "one of its present modes is none of FIFO, FIFO_RELAXED, MAILBOX and IMMEDIATE";
        return nullptr;
    }
    auto presenter = X11Presenter::make(open, drm_nodes(device), info.imageExtent);
    if (!presenter) {
        why_not = "the X server knows no window like that any more";
    }
    return presenter;
}

} // namespace fencebridge
