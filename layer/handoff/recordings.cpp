#include "handoff/recordings.hpp"

#include <algorithm>

namespace fencebridge {

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
        by_command_buffer_.update(primary, [&](Recording& known) {
            for (const HandOff& hand_off : recording->hand_offs) {
                known.add(hand_off);
            }
            for (const ResourceStep& step : recording->steps) {
                known.add(step);
            }
        });
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
