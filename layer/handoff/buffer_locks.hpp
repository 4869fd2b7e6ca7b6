// The locks of all dma-bufs that one submit hands off.
#pragma once

#include "fence/dma_buf.hpp"
#include "handoff/submit_plan.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace fencebridge {

/// Locks every dma-buf of a submit, in one order for all threads, from export to attach.
class BufferLocks {
public:
    /// The hand-offs keep the buffers alive, and outlive this. `storage` is borrowed: its memory is
    /// kept from submit to submit.
    BufferLocks(std::span<const BatchPlan> batches, std::span<const HandOff> releases,
                std::vector<DmaBuf*>& storage)
        : buffers_(storage) {
        buffers_.clear();
        for (const BatchPlan& plan : batches) {
            add(plan.acquires);
        }
        add(releases);
        std::sort(buffers_.begin(), buffers_.end());
        buffers_.erase(std::unique(buffers_.begin(), buffers_.end()), buffers_.end());
        for (DmaBuf* const buffer : buffers_) {
            buffer->lock.lock();
        }
    }
    ~BufferLocks() {
        for (DmaBuf* const buffer : buffers_) {
            buffer->lock.unlock();
        }
        buffers_.clear();
    }
    BufferLocks(const BufferLocks&) = delete;
    BufferLocks& operator=(const BufferLocks&) = delete;

private:
    void add(std::span<const HandOff> hand_offs) {
        for (const HandOff& hand_off : hand_offs) {
            if (const auto& buffer = hand_off.memory->dma_buf()) {
                buffers_.push_back(buffer.get());
            }
        }
    }

    std::vector<DmaBuf*>& buffers_;
};

} // namespace fencebridge
