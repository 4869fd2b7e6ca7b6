#include "handoff/recordings.hpp"

#include <algorithm>

namespace fencebridge {

void Recording::add(const HandOff& hand_off) {
    HandOff as_done = hand_off;
    if (hand_off.origin == Origin::Transfer && hand_off.direction == Direction::Release) {
        if (Written* const known = find_written(hand_off.memory)) {
            as_done.access = known->is_released ? as_done.access : Access::Write;
            known->is_released = true;
        }
    }
    merge(hand_offs, as_done);
}

void Recording::add(const Recording& other) {
    for (const HandOff& hand_off : other.hand_offs) {
        add(hand_off);
    }
    for (const Written& one : other.written) {
        write(one.memory);
        find_written(one.memory)->is_released = one.is_released;
    }
    for (const ResourceStep& step : other.steps) {
        add(step);
    }
}

void Recording::write(const SharedMemoryRef& memory) {
    for (HandOff& known : hand_offs) {
        if (known.memory == memory && known.direction == Direction::Acquire &&
            known.origin == Origin::Transfer) {
            known.access = Access::Write;
        }
    }
    if (Written* const known = find_written(memory)) {
        known->is_released = false;
    } else {
        written.push_back({memory});
    }
}

void Recording::forget(const SharedMemoryRef& memory) {
    std::erase_if(hand_offs, [&](const HandOff& known) { return known.memory == memory; });
    std::erase_if(written, [&](const Written& one) { return one.memory == memory; });
    std::erase_if(steps, [&](const ResourceStep& step) {
        return std::find(step.memories.begin(), step.memories.end(), memory) != step.memories.end();
    });
}

Recording::Written* Recording::find_written(const SharedMemoryRef& memory) {
    const auto found = std::find_if(written.begin(), written.end(),
                                    [&](const Written& one) { return one.memory == memory; });
    return found != written.end() ? &*found : nullptr;
}

void Recording::add(const ResourceStep& step) {
    // What follows the same step of the same resource adds nothing.
    const auto last = std::find_if(steps.rbegin(), steps.rend(), [&](const ResourceStep& known) {
        return known.resource == step.resource;
    });
    if (last == steps.rend() || last->kind != step.kind) {
        steps.push_back(step);
    } else {
        last->access = combine(last->access, step.access);
    }
}

void Recordings::executed(VkCommandBuffer primary, std::span<const VkCommandBuffer> secondaries) {
    for (VkCommandBuffer secondary : secondaries) {
        // Out of the secondary's stripe before the primary's is locked: they may be the same one.
        const auto recording = by_command_buffer_.find(secondary);
        if (!recording) {
            continue;
        }
        by_command_buffer_.update(primary, [&](Recording& known) { known.add(*recording); });
    }
}

void Recordings::allocated(VkCommandPool pool, std::span<const VkCommandBuffer> command_buffers) {
    const std::lock_guard guard(pools_mutex_);
    pools_[pool].insert(command_buffers.begin(), command_buffers.end());
}

void Recordings::freed(VkCommandPool pool, std::span<const VkCommandBuffer> command_buffers) {
    for (VkCommandBuffer command_buffer : command_buffers) {
        clear(command_buffer);
    }
    const std::lock_guard guard(pools_mutex_);
    if (const auto found = pools_.find(pool); found != pools_.end()) {
        for (VkCommandBuffer command_buffer : command_buffers) {
            found->second.erase(command_buffer);
        }
    }
}

void Recordings::pool_reset(VkCommandPool pool) {
    const std::lock_guard guard(pools_mutex_);
    if (const auto found = pools_.find(pool); found != pools_.end()) {
        for (VkCommandBuffer command_buffer : found->second) {
            clear(command_buffer);
        }
    }
}

void Recordings::pool_destroyed(VkCommandPool pool) {
    pool_reset(pool);
    const std::lock_guard guard(pools_mutex_);
    pools_.erase(pool);
}

} // namespace fencebridge
