// A peer's fence on one dma-buf, as the model sees it.
#pragma once

#include "stress/fence_model.hpp"
#include "stress/vgem_fences.hpp"
#include "support/dma_buf_ioctls.hpp"

#include <linux/dma-buf.h>

#include <atomic>

namespace fencebridge::test {

/// A fence's life, as those see it who do not signal it.
enum class Phase : uint8_t { Pending, Signalling, Signalled };

/// A vgem fence that the test signals.
class PeerFence : public ModelFence {
public:
    PeerFence(VgemFences& fences, Usage its_usage) : usage(its_usage), fence_(fences) {}

    Knowledge is_attached() override { return attached_; }
    bool may_be_pending() override { return phase_ != Phase::Signalled; }
    bool is_pending() override { return phase_ == Phase::Pending; }

    /// 0, or the errno.
    int attach(int dma_buf) {
        const int error =
            import_sync_file(dma_buf, fence_.sync_file(),
                             usage == Usage::Write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ);
        attached_ = Knowledge::Yes;
        return error;
    }
    int signal() {
        phase_ = Phase::Signalling;
        const int error = fence_.signal();
        phase_ = Phase::Signalled;
        return error;
    }

    const Usage usage;

private:
    std::atomic<Knowledge> attached_ = Knowledge::Maybe;
    std::atomic<Phase> phase_ = Phase::Pending;
    VgemFences::Fence fence_;
};

} // namespace fencebridge::test
