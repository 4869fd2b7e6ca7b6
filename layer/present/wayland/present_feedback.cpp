#include "present/wayland/present_feedback.hpp"

#include "report/log.hpp"

#include <algorithm>
#include <exception>

namespace fencebridge {

/// The protocol's events, in the order of its header.
struct PresentFeedbackListener {
    static void ended(void* data) noexcept {
        auto& pending = *static_cast<PresentFeedback::Pending*>(data);
        pending.owner->ended(pending);
    }
    static constexpr struct wp_presentation_feedback_listener events{
        .sync_output = [](void* /*data*/, struct wp_presentation_feedback* /*feedback*/,
                          wl_output* /*output*/) {},
        .presented = [](void* data, struct wp_presentation_feedback* /*feedback*/,
                        uint32_t /*seconds_high*/, uint32_t /*seconds_low*/,
                        uint32_t /*nanoseconds*/, uint32_t /*refresh*/, uint32_t /*sequence_high*/,
                        uint32_t /*sequence_low*/, uint32_t /*flags*/) { ended(data); },
        .discarded = [](void* data, struct wp_presentation_feedback* /*feedback*/) { ended(data); },
    };
};

PresentFeedback::PresentFeedback(WaylandConnection& connection)
    : connection_(connection), queue_(connection.display) {
    if (connection.presentation && queue_.get() != nullptr) {
        wrapper_ = wrap(connection.presentation.get(), queue_);
    }
}

PresentFeedback::~PresentFeedback() {
    if (wrapper_ != nullptr) {
        wayland.proxy_wrapper_destroy(wrapper_);
    }
}

void PresentFeedback::ask(uint64_t id) noexcept {
    if (wrapper_ == nullptr) {
        return;
    }
    // Nobody may ever wait: what has come is cleared here.
    (void)queue_.dispatch_pending();
    try {
        const std::lock_guard guard(mutex_);
        Pending& pending = pending_.emplace_back();
        pending.owner = this;
        pending.id = id;
        pending.proxy.reset(wp_presentation_feedback(wrapper_, connection_.surface.get()));
        if (pending.proxy) {
            wp_presentation_feedback_add_listener(pending.proxy.get(),
                                                  &PresentFeedbackListener::events, &pending);
        } else {
            pending_.pop_back();
        }
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "a present is not followed: %s", problem.what());
    }
}

void PresentFeedback::ended(Pending& pending) noexcept {
    const std::lock_guard guard(mutex_);
    shown_ = std::max(shown_, pending.id);
    pending_.remove_if([&](const Pending& one) { return &one == &pending; });
}

bool PresentFeedback::is_pending(uint64_t id) {
    const std::lock_guard guard(mutex_);
    return shown_ < id &&
           std::any_of(
               pending_.begin(), pending_.end(), [&](const Pending& one) { return one.id >= id; });
}

VkResult PresentFeedback::wait(uint64_t id, Deadline deadline) noexcept {
    for (;;) {
        const uint64_t seen = queue_.handled();
        if (!is_pending(id)) {
            return VK_SUCCESS;
        }
        if (const VkResult result = queue_.dispatch(seen, deadline); result != VK_SUCCESS) {
            return result;
        }
    }
}

} // namespace fencebridge
