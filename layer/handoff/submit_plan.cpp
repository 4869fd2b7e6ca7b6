#include "handoff/submit_plan.hpp"

#include "handoff/batches.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

/// Whether a recorded hand-off takes place when it is submitted: a memory that is known to be
/// transferred has left `touch`, whatever was recorded before that was known.
bool takes_place(const HandOff& hand_off, Policy policy) {
    return hand_off.origin == Origin::Transfer || policy == Policy::Touch ||
           !hand_off.memory->is_transferred();
}

} // namespace

bool SubmitPlan::make(std::span<const VkSubmitInfo> batches, Policy policy,
                      const Recordings& recordings, const SharedMemories& memories) {
    return make_any(batches, policy, recordings, memories);
}

bool SubmitPlan::make(std::span<const VkSubmitInfo2> batches, Policy policy,
                      const Recordings& recordings, const SharedMemories& memories) {
    return make_any(batches, policy, recordings, memories);
}

template<typename Batch>
bool SubmitPlan::make_any(std::span<const Batch> batches, Policy policy,
                          const Recordings& recordings, const SharedMemories& memories) {
    count_ = 0;
    releases_.clear();
    last_batch_ = batches.empty() ? 0 : batches.size() - 1;
    if (policy == Policy::Always) {
        // Work that nothing is known of touches all that a peer can see.
        const auto with_work = std::find_if(batches.begin(), batches.end(), [](const Batch& batch) {
            return command_buffer_count(batch) != 0;
        });
        if (with_work == batches.end()) {
            return false;
        }
        const auto first = static_cast<size_t>(with_work - batches.begin());
        memories.each([&](const SharedMemoryRef& memory) {
            if (memory->peer_may_hold()) {
                add(first, {memory, Direction::Acquire, Access::Write});
                add(batches.size() - 1, {memory, Direction::Release, Access::Write});
            }
        });
        return count_ != 0;
    }
    if (recordings.empty() || policy == Policy::Off) {
        return false;
    }
    for (size_t i = 0; i < batches.size(); ++i) {
        for (uint32_t c = 0; c < command_buffer_count(batches[i]); ++c) {
            recordings.visit(command_buffer(batches[i], c), [&](const Recording& recording) {
                for (const HandOff& hand_off : recording.hand_offs) {
                    if (takes_place(hand_off, policy)) {
                        add(i, hand_off);
                    }
                }
            });
        }
    }
    return count_ != 0;
}

void SubmitPlan::make_release(std::span<const SharedMemoryRef> memories) {
    count_ = 0;
    releases_.clear();
    last_batch_ = 0;
    for (const SharedMemoryRef& memory : memories) {
        add(0, {memory, Direction::Release, Access::Write});
    }
}

void SubmitPlan::add(size_t batch, const HandOff& hand_off) {
    BatchPlan& plan = plan_for(batch);
    HandOff as_done = hand_off;
    as_done.origin = Origin::Transfer;
    if (hand_off.direction == Direction::Acquire) {
        merge(plan.acquires, as_done);
    } else {
        merge(releases_, as_done);
        plan.has_releases = true;
    }
}

BatchPlan& SubmitPlan::plan_for(size_t batch) {
    for (BatchPlan& known : batches()) {
        if (known.batch == batch) {
            return known;
        }
    }
    if (count_ == batches_.size()) {
        batches_.emplace_back();
    }
    BatchPlan& plan = batches_[count_++];
    plan.batch = batch;
    plan.acquires.clear();
    plan.wait = {};
    plan.has_releases = false;
    return plan;
}

size_t SubmitPlan::signalling_batch() const {
    if (releases_.empty()) {
        return last_batch_;
    }
    size_t last = 0;
    for (const BatchPlan& plan : batches()) {
        if (plan.has_releases) {
            last = std::max(last, plan.batch);
        }
    }
    return last;
}

bool SubmitPlan::has_waits() const {
    return std::any_of(batches().begin(), batches().end(),
                       [](const BatchPlan& plan) { return static_cast<bool>(plan.wait); });
}

} // namespace fencebridge
