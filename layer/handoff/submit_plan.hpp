// What one submit hands off: read from the recordings of its command buffers.
#pragma once

#include "dispatch/settings.hpp"
#include "fence/semaphore_point.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/recordings.hpp"
#include "handoff/shared_memory.hpp"

#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <span>
#include <vector>

namespace fencebridge {

/// What one batch needs.
struct BatchPlan {
    size_t batch = 0;
    std::vector<HandOff> acquires;
    SemaphorePoint wait;       ///< carries the peers' fences, where there are any
    bool has_releases = false; ///< some of the submit's releases are this batch's
};

/// One per queue, kept from submit to submit, so that the steady state allocates nothing. Not
/// thread-safe. What is known of a memory's content changes as the plan is made, for one command
/// buffer may hand off what an earlier one of the same submit has written.
class SubmitPlan {
public:
    /// Reads the batches' recordings. False where there is nothing to do.
    bool make(std::span<const VkSubmitInfo> batches, Policy policy, const Recordings& recordings,
              const SharedMemories& memories);
    bool make(std::span<const VkSubmitInfo2> batches, Policy policy, const Recordings& recordings,
              const SharedMemories& memories);

    /// A submit of one batch that hands out these memories, whatever is recorded.
    void make_release(std::span<const SharedMemoryRef> memories);

    /// The submit was made: what the plan's releases and acquires cover needs no other.
    void submitted() { covered_.clear(); }

    /// The end of a submit, made or not. Lets all memories go: one that is freed must not wait for
    /// the queue's next submit.
    void clear() noexcept;

    std::span<BatchPlan> batches() { return std::span(batches_).first(count_); }
    std::span<const BatchPlan> batches() const { return std::span(batches_).first(count_); }

    /// All releases of the submit: one completion stands for them all.
    const std::vector<HandOff>& releases() const { return releases_; }
    /// The same, for what is found out of them on the way.
    std::span<HandOff> changing_releases() { return releases_; }

    /// The batch whose signal covers all that is handed off: the last that releases something, or
    /// the submit's last where nothing is released.
    size_t signalling_batch() const;

    bool has_waits() const;

private:
    template<typename Batch>
    bool make_any(std::span<const Batch> batches, Policy policy, const Recordings& recordings,
                  const SharedMemories& memories);
    void add(size_t batch, const Recording& recording, Policy policy);
    void add(size_t batch, const HandOff& hand_off);
    Access access_now(const HandOff& hand_off);
    void cover_write(SharedMemory& memory);
    void cover_readers(SharedMemory& memory);
    BatchPlan& plan_for(size_t batch);

    std::vector<BatchPlan> batches_;
    size_t count_ = 0;
    size_t last_batch_ = 0;
    std::vector<HandOff> releases_;

    /// What a memory was known to need before this plan's hand-offs covered it. The hand-offs keep
    /// it alive.
    struct Covered {
        SharedMemory* memory;
        bool was_written; ///< else: has readers to be waited for
    };
    std::vector<Covered> covered_;
};

} // namespace fencebridge
