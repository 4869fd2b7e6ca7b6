// The bridge of one device: everything that follows its shared memory.
#pragma once

#include "dispatch/device.hpp"
#include "handoff/barriers.hpp"
#include "handoff/queue_submitter.hpp"
#include "handoff/recordings.hpp"
#include "handoff/shared_memory.hpp"
#include "handoff/timelines.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>

namespace fencebridge {

/// Exists for devices that share memory, from vkCreateDevice to vkDestroyDevice.
class Bridge {
public:
    explicit Bridge(const Device& device)
        : memories(device), timelines(device.calls()), device_(device),
          follows_touches_(device.instance->settings.policy == Policy::Auto ||
                           device.instance->settings.policy == Policy::Touch) {}
    /// Writes the device's counters to the log.
    ~Bridge();
    Bridge(const Bridge&) = delete;
    Bridge& operator=(const Bridge&) = delete;

    SharedMemories memories;
    Recordings recordings;
    Timelines timelines;
    ExportableFences exportable_fences;

    /// The queue's submitter, made on first sight. Any thread.
    QueueSubmitter& queue(VkQueue queue);

    /// All queues seen.
    template<typename Visit>
    void each_queue(Visit&& visit) {
        const std::lock_guard guard(queues_mutex_);
        for (const auto& [queue, submitter] : queues_) {
            visit(queue);
        }
    }

    /// Records what image and buffer barriers (of either generation) transfer, or else touch.
    template<typename ImageBarrier, typename BufferBarrier>
    void record(VkCommandBuffer command_buffer, std::span<const ImageBarrier> image_barriers,
                std::span<const BufferBarrier> buffer_barriers) {
        for (const auto& barrier : image_barriers) {
            record(command_buffer, barrier, memories.under(barrier.image));
        }
        for (const auto& barrier : buffer_barriers) {
            record(command_buffer, barrier, memories.under(barrier.buffer));
        }
    }

    /// Records that a command uses a resource (VkImage, VkBuffer or VkImageView).
    template<typename Resource>
    void touch(VkCommandBuffer command_buffer, Resource resource, Access access) {
        if (follows_touches_ && memories.any()) {
            touch_memories(command_buffer, memories.under(resource), access);
        }
    }

    /// False where the policy asks for ownership transfers alone.
    bool follows_touches() const { return follows_touches_; }

private:
    template<typename Barrier>
    void record(VkCommandBuffer command_buffer, const Barrier& barrier,
                std::span<const SharedMemoryRef> under) {
        if (under.empty()) {
            return;
        }
        if (const auto transfer = transfer_of(barrier)) {
            transfer_memories(command_buffer, *transfer, under);
        } else if (follows_touches_) {
            touch_memories(
                command_buffer, under,
                combine(access_of(barrier.srcAccessMask), access_of(barrier.dstAccessMask)));
        }
    }
    void transfer_memories(VkCommandBuffer command_buffer, const Transfer& transfer,
                           std::span<const SharedMemoryRef> under);
    void touch_memories(VkCommandBuffer command_buffer, std::span<const SharedMemoryRef> under,
                        Access access);

    const Device& device_;
    const bool follows_touches_;
    std::mutex queues_mutex_;
    std::unordered_map<VkQueue, std::unique_ptr<QueueSubmitter>> queues_;
};

} // namespace fencebridge
