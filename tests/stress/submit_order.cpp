#include "stress/submit_order.hpp"

#include <algorithm>
#include <utility>

namespace fencebridge::test {

Knowledge SubmitState::is_attached() {
    if (attached_) {
        return Knowledge::Yes;
    }
    // In this order: a call that returns between the two questions has only made more true.
    const bool returned = returned_;
    Knowledge resolved = Knowledge::Yes;
    for (const auto& point : behind_) {
        resolved = std::min(resolved, point->is_resolved());
    }
    if (resolved == Knowledge::Yes && !returned) {
        return Knowledge::Maybe;
    }
    attached_ = resolved == Knowledge::Yes;
    return resolved;
}

void TimelinePoint::set(Knowledge by_itself, std::shared_ptr<SubmitState> submit) {
    const std::lock_guard guard(mutex_);
    resolved_ = by_itself;
    std::swap(submit_, submit);
}

Knowledge TimelinePoint::is_resolved() {
    std::shared_ptr<SubmitState> over;
    const std::lock_guard guard(mutex_);
    if (submit_) {
        const Knowledge by_submit = submit_->is_attached();
        if (by_submit != Knowledge::Yes) {
            return by_submit;
        }
        // A submit names the points that it is behind: what is over is let go.
        resolved_ = Knowledge::Yes;
        std::swap(over, submit_);
    }
    return resolved_;
}

const TimelinePoints& QueueOrder::still_unresolved() {
    std::erase_if(unresolved,
                  [](const auto& point) { return point->is_resolved() == Knowledge::Yes; });
    return unresolved;
}

} // namespace fencebridge::test
