// What was recorded: the hand-offs of each command buffer.
#pragma once

#include "handoff/hand_off.hpp"
#include "handoff/striped_map.hpp"

#include <vulkan/vulkan_core.h>

#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace fencebridge {

/// Command buffers that hold hand-offs; most hold none and are not in the map. Thread-safe under
/// Vulkan's rules: one command buffer, or its pool, is used by one thread at a time.
class Recordings {
public:
    /// One barrier that transfers ownership was recorded.
    void add(VkCommandBuffer command_buffer, const HandOff& hand_off);

    /// vkCmdExecuteCommands: what the secondaries hold happens as part of the primary.
    void executed(VkCommandBuffer primary, std::span<const VkCommandBuffer> secondaries);

    /// Recording starts anew, or the command buffer was reset.
    void clear(VkCommandBuffer command_buffer) { by_command_buffer_.erase(command_buffer); }

    void allocated(VkCommandPool pool, std::span<const VkCommandBuffer> command_buffers);
    void freed(VkCommandPool pool, std::span<const VkCommandBuffer> command_buffers);
    void pool_reset(VkCommandPool pool);
    void pool_destroyed(VkCommandPool pool);

    bool empty() const { return by_command_buffer_.size() == 0; }

    /// Calls `look` on the command buffer's list of hand-offs, where it has any.
    template<typename Look>
    bool visit(VkCommandBuffer command_buffer, Look&& look) const {
        return by_command_buffer_.visit(command_buffer, std::forward<Look>(look));
    }

private:
    StripedMap<VkCommandBuffer, std::vector<HandOff>> by_command_buffer_;
    std::mutex pools_mutex_;
    std::unordered_map<VkCommandPool, std::unordered_set<VkCommandBuffer>> pools_;
};

} // namespace fencebridge
