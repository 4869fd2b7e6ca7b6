// The bridge of one device: everything that follows its shared memory.
#pragma once

#include "dispatch/device.hpp"
#include "handoff/barriers.hpp"
#include "handoff/device_addresses.hpp"
#include "handoff/ownership_checks.hpp"
#include "handoff/queue_submitter.hpp"
#include "handoff/recordings.hpp"
#include "handoff/shared_memory.hpp"
#include "handoff/timelines.hpp"
#include "report/debug_messages.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace fencebridge {

/// Binary semaphores that may be exported as SYNC_FD: the application's own on devices whose
/// presents may do so (Device::exports_waits_of_presents).
using ExportableSemaphores = StripedMap<VkSemaphore, bool>;

/// Exists for devices that share memory, from vkCreateDevice to vkDestroyDevice.
class Bridge {
public:
    explicit Bridge(const Device& device);
    /// Writes the device's counters to the log.
    ~Bridge();
    Bridge(const Bridge&) = delete;
    Bridge& operator=(const Bridge&) = delete;

    SharedMemories memories;
    Recordings recordings;
    Timelines timelines;
    ExportableFences exportable_fences;
    ExportableSemaphores exportable_semaphores;

    /// The queue's submitter, made on first sight. Any thread.
    QueueSubmitter& queue(VkQueue queue);

    /// Whether a present that waits for these semaphores and signals these fences can do without a
    /// submit: the former can be had as SYNC_FDs, and the latter be given one.
    bool may_export_waits(std::span<const VkSemaphore> waits,
                          std::span<const VkFence> fences) const;

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
            record(command_buffer, barrier, barrier.image);
        }
        for (const auto& barrier : buffer_barriers) {
            record(command_buffer, barrier, barrier.buffer);
        }
    }

    /// Records what barriers of address ranges (VkMemoryRangeBarrierKHR) transfer, or else touch.
    template<typename RangeBarrier>
    void record_ranges(VkCommandBuffer command_buffer, std::span<const RangeBarrier> barriers) {
        for (const auto& barrier : barriers) {
            if (const VkBuffer buffer = addresses_.at(barrier.addressRange.address)) {
                record(command_buffer, barrier, buffer);
            }
        }
    }

    /// The application asked for a buffer's device address, and got `first`.
    void addressed(VkBuffer buffer, VkDeviceAddress first);

    /// Records that a command uses a resource.
    void touch(VkCommandBuffer command_buffer, VkImage image, Access access) {
        touch_resource(command_buffer, image, access);
    }
    void touch(VkCommandBuffer command_buffer, VkBuffer buffer, Access access) {
        touch_resource(command_buffer, buffer, access);
    }
    void touch(VkCommandBuffer command_buffer, VkImageView view, Access access);
    void touch(VkCommandBuffer command_buffer, VkFramebuffer framebuffer, Access access);

    /// Whether uses that transfer nothing matter: to the policy, or to the checks.
    bool follows_uses() const { return touches_hand_off_ || checks != nullptr; }

    /// What is no more.
    void destroyed(VkImage image) { destroy(image); }
    void destroyed(VkBuffer buffer) {
        addresses_.remove(buffer);
        destroy(buffer);
    }
    void freed(VkDeviceMemory memory);

    /// Null where the setting `check` is off.
    const std::unique_ptr<DebugMessages> debug_messages;
    const std::unique_ptr<OwnershipChecks> checks;

private:
    template<typename Barrier, typename Resource>
    void record(VkCommandBuffer command_buffer, const Barrier& barrier, Resource resource) {
        const std::optional<Transfer> transfer = transfer_of(barrier);
        std::vector<SharedMemoryRef> under = memories.under(resource);
        if (under.empty()) {
            if (checks && transfer && transfer->direction == Direction::Release) {
                checks->released_unshared(debug_object(resource));
            }
        } else if (transfer) {
            transfer_memories(command_buffer, *transfer, under);
            follow(command_buffer, resource, step_of(transfer->direction), transfer->access,
                   std::move(under));
        } else {
            const Access access = use_of(barrier);
            touch_memories(command_buffer, under, access);
            follow(command_buffer, resource, ResourceStep::Kind::Use, access, std::move(under));
        }
    }

    template<typename Resource>
    void touch_resource(VkCommandBuffer command_buffer, Resource resource, Access access) {
        if (!follows_uses() || !memories.any()) {
            return;
        }
        if (std::vector<SharedMemoryRef> under = memories.under(resource); !under.empty()) {
            touch_memories(command_buffer, under, access);
            follow(command_buffer, resource, ResourceStep::Kind::Use, access, std::move(under));
        }
    }

    template<typename Resource>
    void follow(VkCommandBuffer command_buffer, Resource resource, ResourceStep::Kind kind,
                Access access, std::vector<SharedMemoryRef> under) {
        if (checks) {
            recordings.add(command_buffer,
                           ResourceStep{debug_object(resource), kind, access, std::move(under)});
        }
    }

    template<typename Resource>
    void destroy(Resource resource) {
        memories.destroyed(resource);
        if (checks) {
            checks->destroyed(debug_object(resource));
        }
    }

    void transfer_memories(VkCommandBuffer command_buffer, const Transfer& transfer,
                           std::span<const SharedMemoryRef> under);
    void touch_memories(VkCommandBuffer command_buffer, std::span<const SharedMemoryRef> under,
                        Access access);

    const Device& device_;
    const bool touches_hand_off_; ///< by the policy
    const bool follows_writes_;   ///< for releases that name reads alone; by the policy
    DeviceAddresses addresses_;
    std::mutex queues_mutex_;
    std::unordered_map<VkQueue, std::unique_ptr<QueueSubmitter>> queues_;
};

} // namespace fencebridge
