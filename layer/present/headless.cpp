#include "present/headless.hpp"

namespace fencebridge {

VkResult HeadlessPresenter::show(const PresentRequest& request) noexcept {
    releases_->released(request.image);
    const std::lock_guard guard(mutex_);
    has_shown_ = true;
    shown_.notify_all();
    return VK_SUCCESS;
}

VkResult HeadlessPresenter::listen(Deadline deadline) noexcept {
    std::unique_lock lock(mutex_);
    if (!wait_until(shown_, lock, deadline, [this] { return has_shown_; })) {
        return VK_TIMEOUT;
    }
    has_shown_ = false;
    return VK_SUCCESS;
}

} // namespace fencebridge
