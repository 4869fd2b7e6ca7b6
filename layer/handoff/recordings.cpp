#include "handoff/recordings.hpp"

namespace fencebridge {

void Recordings::add(VkCommandBuffer command_buffer, const HandOff& hand_off) {
    by_command_buffer_.update(command_buffer, [&](auto& list) { merge(list, hand_off); });
}

void Recordings::executed(VkCommandBuffer primary, std::span<const VkCommandBuffer> secondaries) {
    for (VkCommandBuffer secondary : secondaries) {
        // Out of the secondary's stripe before the primary's is locked: they may be the same one.
        if (const auto hand_offs = by_command_buffer_.find(secondary)) {
            for (const HandOff& hand_off : *hand_offs) {
                add(primary, hand_off);
            }
        }
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
