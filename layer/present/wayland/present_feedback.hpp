// Which presents have reached the screen (wp_presentation).
#pragma once

#include "present/wayland/connection.hpp"

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>

namespace fencebridge {

/// On an event queue of its own: threads that wait for presents leave the swapchain's alone.
class PresentFeedback {
public:
    explicit PresentFeedback(WaylandConnection& connection);
    ~PresentFeedback();
    PresentFeedback(const PresentFeedback&) = delete;
    PresentFeedback& operator=(const PresentFeedback&) = delete;

    /// Asks for word of the surface's next commit. Nothing where the compositor has no such word.
    void ask(uint64_t id) noexcept;

    /// Until the present `id`, or a later one, was shown or dropped. At once for those that were
    /// not asked for. Any thread.
    VkResult wait(uint64_t id, Deadline deadline) noexcept;

private:
    struct Pending {
        PresentFeedback* owner = nullptr;
        uint64_t id = 0;
        WaylandPtr<struct wp_presentation_feedback> proxy;
    };
    friend struct PresentFeedbackListener;
    void ended(Pending& pending) noexcept;
    bool is_pending(uint64_t id);

    WaylandConnection& connection_;
    WaylandQueue queue_;
    wp_presentation* wrapper_ = nullptr; ///< makes its objects on queue_
    std::mutex mutex_;
    uint64_t shown_ = 0; ///< the newest of which there was word
    std::list<Pending> pending_;
};

} // namespace fencebridge
