// vgem fences by the thousand: the buffers that carry them are used again.
#pragma once

#include "support/vgem.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace fencebridge::test {

/// Thread-safe. Outlives its fences.
class VgemFences {
public:
    /// A pending fence of a context of its own.
    class Fence {
    public:
        explicit Fence(VgemFences& home);
        ~Fence() { (void)signal(); }
        Fence(const Fence&) = delete;
        Fence& operator=(const Fence&) = delete;

        int sync_file() const { return fence_->sync_file(); }

        /// Signals it, where that was not done. 0, or the errno (ETIMEDOUT: the kernel was first).
        int signal();

    private:
        VgemFences& home_;
        std::unique_ptr<VgemBuffer> buffer_;
        std::optional<VgemFence> fence_;
    };

    /// Descriptors that are kept for later fences.
    size_t descriptors();

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<VgemBuffer>> idle_;
};

} // namespace fencebridge::test
