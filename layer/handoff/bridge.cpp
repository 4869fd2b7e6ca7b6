#include "handoff/bridge.hpp"

#include "report/log.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

unsigned long long value(const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
}

bool counts_touches(Policy policy) {
    return policy == Policy::Auto || policy == Policy::Touch;
}

std::unique_ptr<DebugMessages> make_messages(const Instance& instance) {
    if (!instance.settings.check) {
        return nullptr;
    }
    return std::make_unique<DebugMessages>(
        instance.handle,
        instance.has_debug_utils ? instance.next.SubmitDebugUtilsMessageEXT : nullptr);
}

} // namespace

Bridge::Bridge(const Device& device)
    : memories(device), timelines(device.calls()), debug_messages(make_messages(*device.instance)),
      checks(debug_messages ? std::make_unique<OwnershipChecks>(*debug_messages) : nullptr),
      device_(device), touches_hand_off_(counts_touches(device.instance->settings.policy)),
      follows_writes_(device.instance->settings.policy == Policy::Auto ||
                      device.instance->settings.policy == Policy::Transfers) {}

Bridge::~Bridge() {
    // All threads end before any submitter goes: one queue's thread may complete another's release.
    for (const auto& [queue, submitter] : queues_) {
        submitter->stop();
    }
    const Counters& counters = device_.counters;
    log(LogLevel::Info,
        "%s: releases %llu (fences attached %llu, work already done %llu, parked %llu), acquires "
        "%llu (idle %llu, waits imported %llu, waits on a thread %llu, waits on CPU %llu), guarded "
        "%llu, fallbacks %llu, trailing submits %llu",
        device_.capabilities.device_name.c_str(), value(counters.releases),
        value(counters.fences_attached), value(counters.releases_done), value(counters.parked),
        value(counters.acquires), value(counters.acquires_idle), value(counters.waits_imported),
        value(counters.waits_on_thread), value(counters.waits_on_cpu), value(counters.guarded),
        value(counters.fallbacks), value(counters.trailing_submits));
}

QueueSubmitter& Bridge::queue(VkQueue queue) {
    const std::lock_guard guard(queues_mutex_);
    auto& submitter = queues_[queue];
    if (!submitter) {
        submitter = std::make_unique<QueueSubmitter>(device_, queue, memories, recordings,
                                                     timelines, exportable_fences, checks.get());
    }
    return *submitter;
}

bool Bridge::may_export_waits(std::span<const VkSemaphore> waits,
                              std::span<const VkFence> fences) const {
    const auto is_exportable = [&](VkSemaphore semaphore) {
        return exportable_semaphores.visit(semaphore, [](bool) {});
    };
    const auto takes_payload = [&](VkFence fence) {
        return device_.capabilities.fences.fence_import &&
               !exportable_fences.visit(fence, [](bool) {});
    };
    return std::all_of(waits.begin(), waits.end(), is_exportable) &&
           std::all_of(fences.begin(), fences.end(), takes_payload);
}

void Bridge::transfer_memories(VkCommandBuffer command_buffer, const Transfer& transfer,
                               std::span<const SharedMemoryRef> under) {
    for (const SharedMemoryRef& memory : under) {
        memory->set_transferred();
        recordings.add(command_buffer, {memory, transfer.direction, transfer.access});
    }
}

void Bridge::addressed(VkBuffer buffer, VkDeviceAddress first) {
    if (memories.under(buffer).empty()) {
        return;
    }
    VkMemoryRequirements requirements{};
    device_.next.GetBufferMemoryRequirements(device_.handle, buffer, &requirements);
    addresses_.add(buffer, first, requirements.size);
}

void Bridge::touch(VkCommandBuffer command_buffer, VkImageView view, Access access) {
    if (const VkImage image = memories.image_of(view)) {
        touch_resource(command_buffer, image, access);
    }
}

void Bridge::touch(VkCommandBuffer command_buffer, VkFramebuffer framebuffer, Access access) {
    for (VkImage image : memories.images_of(framebuffer)) {
        touch_resource(command_buffer, image, access);
    }
}

void Bridge::freed(VkDeviceMemory memory) {
    const SharedMemoryRef shared = memories.find(memory);
    if (!shared) {
        return;
    }
    if (checks) {
        checks->freed(shared);
    }
    memories.freed(memory);
    recordings.forget(shared);
}

/// A touched resource is taken back before and handed out after; one that is transferred is not,
/// but its next release has to know of writes.
void Bridge::touch_memories(VkCommandBuffer command_buffer, std::span<const SharedMemoryRef> under,
                            Access access) {
    for (const SharedMemoryRef& memory : under) {
        if (follows_writes_ && access == Access::Write) {
            recordings.write(command_buffer, memory);
        }
        if (!touches_hand_off_) {
            continue;
        }
        if (memory->is_transferred() && device_.instance->settings.policy == Policy::Auto) {
            continue;
        }
        for (const Direction direction : {Direction::Acquire, Direction::Release}) {
            recordings.add(command_buffer, {memory, direction, access, Origin::Touch});
        }
    }
}

} // namespace fencebridge
