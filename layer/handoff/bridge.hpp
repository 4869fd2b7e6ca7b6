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
        : memories(device), timelines(device.calls()), device_(device) {}
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

    /// Records what image and buffer barriers (of either generation) transfer.
    template<typename ImageBarrier, typename BufferBarrier>
    void record(VkCommandBuffer command_buffer, std::span<const ImageBarrier> images,
                std::span<const BufferBarrier> buffers) {
        for (const auto& barrier : images) {
            if (const auto transfer = transfer_of(barrier)) {
                record(command_buffer, *transfer, memories.under(barrier.image));
            }
        }
        for (const auto& barrier : buffers) {
            if (const auto transfer = transfer_of(barrier)) {
                record(command_buffer, *transfer, memories.under(barrier.buffer));
            }
        }
    }

private:
    void record(VkCommandBuffer command_buffer, const Transfer& transfer,
                std::span<const SharedMemoryRef> under);

    const Device& device_;
    std::mutex queues_mutex_;
    std::unordered_map<VkQueue, std::unique_ptr<QueueSubmitter>> queues_;
};

} // namespace fencebridge
