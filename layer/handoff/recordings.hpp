// What was recorded: the hand-offs of each command buffer.
#pragma once

#include "handoff/hand_off.hpp"
#include "handoff/striped_map.hpp"
#include "report/debug_messages.hpp"

#include <vulkan/vulkan_core.h>

#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace fencebridge {

/// What is done with a resource on shared memory, in the order of the recording: only for the
/// setting `check`, which follows resources; hand-offs follow memories.
struct ResourceStep {
    enum class Kind : uint8_t { Acquire, Use, Release };
    DebugObject resource; ///< an image or a buffer
    Kind kind;
    Access access;
    std::vector<SharedMemoryRef> memories; ///< under it
};

constexpr ResourceStep::Kind step_of(Direction direction) {
    return direction == Direction::Acquire ? ResourceStep::Kind::Acquire
                                           : ResourceStep::Kind::Release;
}

/// What one command buffer holds.
struct Recording {
    /// A memory that is written to, as far as barriers and commands name it.
    struct Written {
        SharedMemoryRef memory;
        bool is_released = false; ///< by a transfer after the last of the writes
    };
    std::vector<HandOff> hand_offs;
    std::vector<Written> written;
    std::vector<ResourceStep> steps;

    /// A release of what was written before is a writer's, and an acquire of what is written after
    /// as well, whatever the barriers' own masks say.
    void add(const HandOff& hand_off);
    void add(const ResourceStep& step);
    /// As a part of this one: a secondary's.
    void add(const Recording& other);
    void write(const SharedMemoryRef& memory);
    /// Takes out what is of this memory.
    void forget(const SharedMemoryRef& memory);

private:
    Written* find_written(const SharedMemoryRef& memory);
};

/// Command buffers that hold hand-offs; most hold none and are not in the map. Thread-safe under
/// Vulkan's rules: one command buffer, or its pool, is used by one thread at a time.
class Recordings {
public:
    /// A hand-off, or a step for the checks, was recorded.
    void add(VkCommandBuffer command_buffer, const HandOff& hand_off) {
        by_command_buffer_.update(command_buffer, [&](Recording& known) { known.add(hand_off); });
    }
    void add(VkCommandBuffer command_buffer, const ResourceStep& step) {
        by_command_buffer_.update(command_buffer, [&](Recording& known) { known.add(step); });
    }

    /// A command writes to something on the memory.
    void write(VkCommandBuffer command_buffer, const SharedMemoryRef& memory) {
        by_command_buffer_.update(command_buffer, [&](Recording& known) { known.write(memory); });
    }

    /// vkCmdExecuteCommands: what the secondaries hold happens as part of the primary.
    void executed(VkCommandBuffer primary, std::span<const VkCommandBuffer> secondaries);

    /// Recording starts anew, or the command buffer was reset.
    void clear(VkCommandBuffer command_buffer) { by_command_buffer_.erase(command_buffer); }

    void allocated(VkCommandPool pool, std::span<const VkCommandBuffer> command_buffers);
    void freed(VkCommandPool pool, std::span<const VkCommandBuffer> command_buffers);
    void pool_reset(VkCommandPool pool);
    void pool_destroyed(VkCommandPool pool);

    /// The memory was freed. Command buffers that name it cannot be submitted any more, and may
    /// never be reset: they must not keep its dma-buf.
    void forget(const SharedMemoryRef& memory) {
        by_command_buffer_.update_each([&](Recording& known) { known.forget(memory); });
    }

    bool empty() const { return by_command_buffer_.size() == 0; }

    /// Whether the command buffer has a Recording.
    bool holds(VkCommandBuffer command_buffer) const {
        return visit(command_buffer, [](const Recording&) {});
    }

    /// Calls `look` on the command buffer's Recording, where it has one.
    template<typename Look>
    bool visit(VkCommandBuffer command_buffer, Look&& look) const {
        return by_command_buffer_.visit(command_buffer, std::forward<Look>(look));
    }

private:
    StripedMap<VkCommandBuffer, Recording> by_command_buffer_;
    std::mutex pools_mutex_;
    std::unordered_map<VkCommandPool, std::unordered_set<VkCommandBuffer>> pools_;
};

} // namespace fencebridge
