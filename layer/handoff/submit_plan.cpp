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

/// What is known in two ways takes place once, as the first of them in Origin's order.
void merge_as_done(std::vector<HandOff>& list, const HandOff& hand_off) {
    for (HandOff& known : list) {
        if (known.memory == hand_off.memory) {
            known.access = combine(known.access, hand_off.access);
            known.origin = std::min(known.origin, hand_off.origin);
            return;
        }
    }
    list.push_back(hand_off);
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
            // Who gets its descriptor later finds this work's fence on it; nobody's are on it yet.
            if (memory->peer_may_hold()) {
                add(first, {memory, Direction::Acquire, Access::Write, Origin::Always});
            }
            add(batches.size() - 1, {memory, Direction::Release, Access::Write, Origin::Always});
        });
        return count_ != 0;
    }
    if (recordings.empty() || policy == Policy::Off) {
        return false;
    }
    for (size_t i = 0; i < batches.size(); ++i) {
        for (uint32_t c = 0; c < command_buffer_count(batches[i]); ++c) {
            recordings.visit(command_buffer(batches[i], c),
                             [&](const Recording& recording) { add(i, recording, policy); });
        }
    }
    return count_ != 0;
}

void SubmitPlan::make_release(std::span<const SharedMemoryRef> memories) {
    count_ = 0;
    releases_.clear();
    last_batch_ = 0;
    for (const SharedMemoryRef& memory : memories) {
        add(0, {memory, Direction::Release, Access::Write, Origin::Present});
    }
}

/// A recording has each memory once a direction and origin. With one origin nothing in it can merge
/// with anything else in it: a submit of one command buffer compares nothing.
void SubmitPlan::add(size_t batch, const Recording& recording, Policy policy) {
    for (const Recording::Written& one : recording.written) {
        // An earlier submit took it over to read; now the peers' readers are waited for, too.
        if (one.memory->has_unawaited_readers()) {
            add(batch, {one.memory, Direction::Acquire, Access::Write});
            cover_readers(*one.memory);
        }
    }
    const std::vector<HandOff>& hand_offs = recording.hand_offs;
    const bool is_all_new =
        count_ == 0 && std::all_of(hand_offs.begin(), hand_offs.end(), [&](const HandOff& one) {
            return one.origin == hand_offs.front().origin;
        });
    for (const HandOff& hand_off : hand_offs) {
        if (!takes_place(hand_off, policy)) {
            continue;
        }
        const Access access = access_now(hand_off);
        if (!is_all_new) {
            HandOff as_done = hand_off;
            as_done.access = access;
            add(batch, as_done);
            continue;
        }
        BatchPlan& plan = plan_for(batch);
        const bool is_acquire = hand_off.direction == Direction::Acquire;
        HandOff& as_done = (is_acquire ? plan.acquires : releases_).emplace_back(hand_off);
        as_done.access = access;
        plan.has_releases |= !is_acquire;
    }
    for (const Recording::Written& one : recording.written) {
        if (!one.is_released) {
            one.memory->set_written(true);
        }
    }
}

/// What a transfer does with what was submitted before it in mind: a release covers all writes
/// since the last one, not only what its barrier names.
Access SubmitPlan::access_now(const HandOff& hand_off) {
    if (hand_off.origin != Origin::Transfer) {
        return hand_off.access;
    }
    SharedMemory& memory = *hand_off.memory;
    if (hand_off.direction == Direction::Acquire) {
        if (hand_off.access == Access::Read) {
            memory.set_unawaited_readers(true);
        } else {
            cover_readers(memory);
        }
        return hand_off.access;
    }
    const Access access = memory.is_written() ? Access::Write : hand_off.access;
    cover_write(memory);
    cover_readers(memory);
    return access;
}

void SubmitPlan::cover_write(SharedMemory& memory) {
    if (memory.is_written()) {
        covered_.push_back({.memory = &memory, .was_written = true});
        memory.set_written(false);
    }
}

void SubmitPlan::cover_readers(SharedMemory& memory) {
    if (memory.has_unawaited_readers()) {
        covered_.push_back({.memory = &memory, .was_written = false});
        memory.set_unawaited_readers(false);
    }
}

void SubmitPlan::clear() noexcept {
    // Where the submit was not made the next one has to cover what this one did not. Another
    // queue's may have done so meanwhile: then that is once more than needed.
    for (const Covered& one : covered_) {
        if (one.was_written) {
            one.memory->set_written(true);
        } else {
            one.memory->set_unawaited_readers(true);
        }
    }
    covered_.clear();
    for (BatchPlan& plan : batches()) {
        plan.acquires.clear();
    }
    count_ = 0;
    releases_.clear();
}

void SubmitPlan::add(size_t batch, const HandOff& hand_off) {
    BatchPlan& plan = plan_for(batch);
    if (hand_off.direction == Direction::Acquire) {
        merge_as_done(plan.acquires, hand_off);
    } else {
        merge_as_done(releases_, hand_off);
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
