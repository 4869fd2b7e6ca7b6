#include "stress/vgem_fences.hpp"

#include <utility>

namespace fencebridge::test {

VgemFences::Fence::Fence(VgemFences& home) : home_(home) {
    {
        const std::lock_guard guard(home.mutex_);
        if (!home.idle_.empty()) {
            buffer_ = std::move(home.idle_.back());
            home.idle_.pop_back();
        }
    }
    if (!buffer_) {
        buffer_ = std::make_unique<VgemBuffer>();
    }
    fence_.emplace(buffer_->attach(Usage::Write));
}

int VgemFences::Fence::signal() {
    if (!fence_) {
        return 0;
    }
    const int error = fence_->signal();
    fence_.reset();
    const std::lock_guard guard(home_.mutex_);
    home_.idle_.push_back(std::move(buffer_));
    return error;
}

size_t VgemFences::descriptors() {
    // A buffer's own, and its device's.
    const std::lock_guard guard(mutex_);
    return 2 * idle_.size();
}

} // namespace fencebridge::test
