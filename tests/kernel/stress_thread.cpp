#include "kernel/stress_thread.hpp"

#include "kernel/stress_call.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace fencebridge::test {

namespace {

/// Few enough that nothing grows old (StressWorld::hurry), enough that much is pending at once.
constexpr size_t peer_limit = 48;
constexpr size_t timeline_limit = 6;
constexpr size_t backlog_limit = 12;

} // namespace

StressThread::StressThread(StressWorld& world, size_t number)
    : world_(world), number_(number), draws_(world.options.seed, number) {
    allocate_command_buffers();
}

StressThread::~StressThread() {
    world_.bridge->recordings.pool_destroyed(pool());
}

void StressThread::allocate_command_buffers() {
    std::vector<VkCommandBuffer> handles;
    for (Recording& recording : recordings_) {
        handles.push_back(handle(recording));
    }
    world_.bridge->recordings.allocated(pool(), handles);
}

void StressThread::run(uint64_t operations) {
    for (uint64_t i = 0; i < operations; ++i) {
        Differences::at(number_, operation_++);
        world_.hurry();
        do_one();
        look_at_own_fences();
    }
}

void StressThread::do_one() {
    const size_t drawn = draws_.below(100);
    if (drawn < 32) {
        submit({}, any_queue());
    } else if (drawn < 35) {
        submit_before_signal();
    } else if (drawn < 39) {
        resolve();
    } else if (drawn < 53) {
        attach_peer();
    } else if (drawn < 63) {
        signal_peers();
    } else if (drawn < 83) {
        work();
    } else if (drawn < 93) {
        check_any();
    } else if (drawn < 95) {
        world_.replace_buffer(any_buffer(), draws_.one_in(2));
    } else if (drawn < 97) {
        world_.buffer(any_buffer())->toggle_second();
    } else if (drawn < 98) {
        world_.buffer(any_buffer())->memory(draws_.one_in(2))->export_again();
    } else {
        reset_pool();
    }
}

/// One in three is of the first few: those meet several threads at once.
size_t StressThread::any_buffer() {
    return draws_.below(draws_.one_in(3) ? 8 : shared_buffer_count);
}

bool StressThread::is_idle(Recording& recording) {
    std::erase_if(recording.submits,
                  [](const auto& submit) { return submit->is_finished() == Knowledge::Yes; });
    return recording.submits.empty();
}

void StressThread::record(Recording& recording) {
    Bridge& bridge = *world_.bridge;
    // As vkBeginCommandBuffer does.
    bridge.recordings.clear(handle(recording));
    recording.hand_offs.clear();
    const size_t count = 1 + draws_.below(4);
    for (size_t i = 0; i < count; ++i) {
        const auto buffer = world_.buffer(any_buffer());
        const auto memory = buffer->memory(draws_.one_in(2));
        const size_t directions = draws_.below(3);
        for (const bool is_acquire : {true, false}) {
            if (directions == (is_acquire ? 0U : 1U)) {
                continue;
            }
            recording.hand_offs.push_back({buffer, memory, is_acquire, any_access()});
            const VkAccessFlags access = recording.hand_offs.back().access == Usage::Write
                                             ? VK_ACCESS_TRANSFER_WRITE_BIT
                                             : VK_ACCESS_TRANSFER_READ_BIT;
            const VkBufferMemoryBarrier barrier{
                .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
                .srcAccessMask = is_acquire ? 0 : access,
                .dstAccessMask = is_acquire ? access : 0,
                .srcQueueFamilyIndex = is_acquire ? VK_QUEUE_FAMILY_FOREIGN_EXT : 0,
                .dstQueueFamilyIndex = is_acquire ? 0 : VK_QUEUE_FAMILY_FOREIGN_EXT,
                .buffer = memory->buffer(),
                .size = VK_WHOLE_SIZE,
            };
            bridge.record(handle(recording), std::span<const VkImageMemoryBarrier>{},
                          std::span(&barrier, 1));
        }
    }
    recording.is_recorded = true;
}

void StressThread::submit(const Timelines& timelines, size_t queue) {
    const std::lock_guard guard(world_.queues.at(queue).lock);
    submit_with_lock(timelines, queue);
}

void StressThread::submit_with_lock(const Timelines& timelines, size_t queue) {
    // Where the GPU is far behind, work comes first. What signals a timeline cannot be put off.
    if (!timelines.signal && world_.gpu.backlog(queue) >= backlog_limit) {
        (void)world_.gpu.step(queue);
        return;
    }
    const size_t batch_count = draws_.one_in(3) ? 2 + draws_.below(2) : 1;
    std::vector<std::vector<VkCommandBuffer>> command_buffers(batch_count);
    std::vector<StressBatch> hand_offs(batch_count);
    std::vector<Recording*> used;
    size_t next = draws_.below(recordings_.size());
    for (size_t i = 0; i < batch_count; ++i) {
        const size_t count = draws_.one_in(8) ? 2 * draws_.below(2) : 1;
        for (size_t c = 0; c < count; ++c) {
            Recording& recording = recordings_.at(next++ % recordings_.size());
            const bool is_idle_now = is_idle(recording);
            if (is_idle_now && (!recording.is_recorded || draws_.percent(70))) {
                record(recording);
            }
            // Else it is submitted again as it is, also while it still runs (SIMULTANEOUS_USE).
            command_buffers[i].push_back(handle(recording));
            hand_offs[i].insert(hand_offs[i].end(), recording.hand_offs.begin(),
                                recording.hand_offs.end());
            used.push_back(&recording);
        }
    }

    QueueOrder& order = world_.queues.at(queue);
    TimelinePoints named;
    if (timelines.wait) {
        order.unresolved.push_back(timelines.wait);
        named.push_back(timelines.wait);
    }
    if (timelines.signal) {
        named.push_back(timelines.signal);
    }
    const auto submit = std::make_shared<StressSubmit>(world_.differences, std::move(hand_offs),
                                                       order.still_unresolved(), std::move(named));
    const auto released = submit->begin(submit);
    if (timelines.signal) {
        timelines.signal->submit_begins(submit->state);
    }
    VkFence fence = VK_NULL_HANDLE;
    bool is_exportable = false;
    if (draws_.one_in(2)) {
        fence = world_.gpu.create_application_fence();
        is_exportable = draws_.one_in(4);
        if (is_exportable) {
            world_.bridge->exportable_fences.insert(fence, true);
        }
        own_fences_.push_back({submit, fence, is_exportable});
    }

    const SimulatedGpu::Call call(submit, !timelines.signal && draws_.one_in(50));
    const VkResult result =
        call_layer(world_, {.queue = queue,
                            .batches = command_buffers,
                            .wait = timelines.wait ? timelines.wait->handle : VK_NULL_HANDLE,
                            .signal = timelines.signal ? timelines.signal->handle : VK_NULL_HANDLE,
                            .fence = fence,
                            .is_second_generation = draws_.one_in(2)});
    submit->returned(result);
    if (result == VK_SUCCESS) {
        for (Recording* recording : used) {
            recording->submits.push_back(submit);
        }
        if (timelines.wait) {
            world_.add_timeline(timelines.wait);
        }
    } else {
        if (fence != VK_NULL_HANDLE) {
            world_.bridge->exportable_fences.erase(fence);
            world_.gpu.destroy_application_fence(fence);
            own_fences_.pop_back();
        }
        if (timelines.wait) {
            std::erase(order.unresolved, timelines.wait);
        }
    }
    for (const auto& buffer : released) {
        check(world_.differences, buffer->model, buffer->number, buffer->dma_buf->dma_buf(), true);
    }
}

/// A submit behind a timeline value whose signal nobody has submitted.
void StressThread::submit_before_signal() {
    const size_t queue = any_queue();
    if (world_.timeline_count() >= timeline_limit) {
        resolve();
        return;
    }
    submit({.wait = std::make_shared<StressTimeline>(world_, draws_.one_in(2), queue),
            .signal = nullptr},
           queue);
}

void StressThread::resolve() {
    const auto timeline = world_.take_timeline({});
    if (!timeline) {
        return;
    }
    if (!timeline->is_by_host()) {
        // A submit may signal it where that submit itself is sure to come through.
        const size_t queue = any_queue();
        QueueOrder& order = world_.queues.at(queue);
        const std::lock_guard guard(order.lock);
        const TimelinePoints& behind = order.still_unresolved();
        if (queue != timeline->queue &&
            std::all_of(behind.begin(), behind.end(),
                        [](const auto& point) { return point->is_by_host(); })) {
            submit_with_lock({.wait = nullptr, .signal = timeline}, queue);
            return;
        }
    }
    world_.signal_from_host(*timeline);
}

void StressThread::attach_peer() {
    if (world_.peer_count() >= peer_limit) {
        signal_peers();
        return;
    }
    const auto buffer = world_.buffer(any_buffer());
    const auto peer = std::make_shared<StressPeer>(world_.fences, buffer, any_access());
    buffer->model.add({.fence = peer, .usage = peer->usage});
    if (const int error = peer->attach(buffer->dma_buf->dma_buf()); error != 0) {
        world_.differences.add(std::string("IMPORT_SYNC_FILE: ") + std::strerror(error));
    }
    check(world_.differences, buffer->model, buffer->number, buffer->dma_buf->dma_buf(), true);
    world_.add_peer(peer);
}

void StressThread::signal_peers() {
    for (size_t count = 1 + draws_.below(4); count > 0; --count) {
        const auto peer = world_.take_peer(draws_);
        if (!peer) {
            return;
        }
        world_.signal(*peer);
    }
}

void StressThread::work() {
    const size_t queue = any_queue();
    for (size_t count = 1 + draws_.below(6); count > 0; --count) {
        if (world_.gpu.step(queue) != SimulatedGpu::Step::Worked) {
            return;
        }
    }
}

void StressThread::check_any() {
    const auto buffer = world_.buffer(any_buffer());
    check(world_.differences, buffer->model, buffer->number, buffer->dma_buf->dma_buf(), true);
}

void StressThread::reset_pool() {
    if (!std::all_of(recordings_.begin(), recordings_.end(),
                     [this](Recording& recording) { return is_idle(recording); })) {
        work();
        return;
    }
    Recordings& known = world_.bridge->recordings;
    switch (draws_.below(3)) {
    case 0:
        known.pool_reset(pool());
        break;
    case 1:
        known.pool_destroyed(pool());
        allocate_command_buffers();
        break;
    default:
        for (Recording& recording : recordings_) {
            const VkCommandBuffer freed = handle(recording);
            known.freed(pool(), std::span(&freed, 1));
        }
        allocate_command_buffers();
        break;
    }
    for (Recording& recording : recordings_) {
        recording.is_recorded = false;
        recording.hand_offs.clear();
    }
}

/// An application's fence signals when its submit is done, neither before nor after.
void StressThread::look_at_own_fences() {
    std::erase_if(own_fences_, [this](const OwnFence& own) {
        const Knowledge before = own.submit->is_finished();
        const bool signalled = world_.gpu.has_signalled(own.fence);
        const Knowledge after = own.submit->is_finished();
        if (signalled ? after == Knowledge::No : before == Knowledge::Yes) {
            world_.differences.add(std::string("the application's fence: seen ") +
                                   (signalled ? "signalled before" : "unsignalled after") +
                                   " its submit was done");
        }
        if (before != Knowledge::Yes) {
            return false;
        }
        if (own.is_exportable) {
            world_.bridge->exportable_fences.erase(own.fence);
        }
        world_.gpu.destroy_application_fence(own.fence);
        return true;
    });
}

void StressThread::settle() {
    look_at_own_fences();
    if (!own_fences_.empty()) {
        world_.differences.add("a submit that is never done");
    }
    for (Recording& recording : recordings_) {
        (void)is_idle(recording);
    }
}

} // namespace fencebridge::test
