#include "kernel/stress_world.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <utility>

namespace fencebridge::test {

namespace {

/// Far enough from the 10 s after which the kernel ends a vgem fence, on a slow machine too.
constexpr std::chrono::milliseconds old_age{1500};

/// The front where it is old enough, as a queue of the oldest first.
template<typename T>
std::shared_ptr<T> take_front(std::deque<std::shared_ptr<T>>& queue,
                              std::chrono::milliseconds age) {
    if (queue.empty() || std::chrono::steady_clock::now() - queue.front()->born < age) {
        return nullptr;
    }
    std::shared_ptr<T> taken = std::move(queue.front());
    queue.pop_front();
    return taken;
}

} // namespace

StressMemory::StressMemory(Bridge& bridge, std::shared_ptr<const Udmabuf> dma_buf, bool imported)
    : simulated_{dma_buf->dma_buf()}, bridge_(bridge), dma_buf_(std::move(dma_buf)) {
    const VkExportMemoryAllocateInfo exportable{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = imported ? nullptr : &exportable,
    };
    bridge_.memories.allocated(info, memory(), imported ? DmaBuf::of(simulated_.dma_buf) : nullptr);
    bridge_.memories.bound(buffer(), memory());
}

StressMemory::~StressMemory() {
    bridge_.memories.destroyed(buffer());
    bridge_.memories.freed(memory());
}

void StressMemory::export_again() {
    const Fd another(::fcntl(simulated_.dma_buf, F_DUPFD_CLOEXEC, 3));
    bridge_.memories.exported(memory(), another.get());
}

StressBuffer::StressBuffer(Bridge& bridge, size_t its_number, bool imported)
    : number(its_number), dma_buf(std::make_shared<const Udmabuf>()), bridge_(bridge),
      first_(std::make_shared<StressMemory>(bridge, dma_buf, imported)) {}

std::shared_ptr<StressMemory> StressBuffer::memory(bool second) {
    const std::lock_guard guard(mutex_);
    return second && second_ ? second_ : first_;
}

void StressBuffer::toggle_second() {
    const std::lock_guard guard(mutex_);
    if (second_) {
        second_.reset();
    } else {
        second_ = std::make_shared<StressMemory>(bridge_, dma_buf, true);
    }
}

StressTimeline::StressTimeline(StressWorld& world, bool by_host, size_t waiting_queue)
    : TimelinePoint(by_host), handle(world.gpu.create_timeline()), queue(waiting_queue),
      world_(world) {
    world.bridge->timelines.created(handle, 0);
}

StressTimeline::~StressTimeline() {
    world_.retire(handle);
}

StressWorld::StressWorld(const StressOptions& wanted, Differences& found)
    : options(wanted), differences(found), gpu(fences) {
    device.handle = gpu.device();
    device.instance = &instance_;
    device.next = gpu.table;
    device.shares_memory = true;
    device.source.kind = options.source;
    device.acquire.method = AcquireMethod::Import;
    device.capabilities.fences.fence_import = true;
    bridge.emplace(device);
    for (size_t i = 0; i < shared_buffer_count; ++i) {
        buffers_.push_back(std::make_shared<StressBuffer>(*bridge, i, i % 2 == 0));
    }
}

StressWorld::~StressWorld() {
    for (QueueOrder& queue : queues) {
        queue.unresolved.clear();
    }
    buffers_.clear();
    destroy_retired();
    bridge.reset();
    for (const auto& [rule, times] : gpu.broken_rules()) {
        differences.add("a rule of Vulkan was broken " + std::to_string(times) + " times: " + rule);
    }
    if (gpu.live_objects() != 0) {
        differences.add("semaphores or fences were left to the driver");
    }
}

std::shared_ptr<StressBuffer> StressWorld::buffer(size_t number) {
    const std::lock_guard guard(buffers_mutex_);
    return buffers_.at(number);
}

void StressWorld::replace_buffer(size_t number, bool imported) {
    auto buffer = std::make_shared<StressBuffer>(*bridge, number, imported);
    const std::lock_guard guard(buffers_mutex_);
    std::swap(buffers_.at(number), buffer);
}

VkResult StressWorld::submit(size_t queue, std::span<const VkSubmitInfo> batches, VkFence fence) {
    const VkQueue handle = gpu.queue(queue);
    return options.with_layer ? bridge->queue(handle).submit(batches, fence)
                              : gpu.table.QueueSubmit(handle, static_cast<uint32_t>(batches.size()),
                                                      batches.data(), fence);
}

VkResult StressWorld::submit(size_t queue, std::span<const VkSubmitInfo2> batches, VkFence fence) {
    const VkQueue handle = gpu.queue(queue);
    return options.with_layer
               ? bridge->queue(handle).submit2(batches, fence)
               : gpu.table.QueueSubmit2(handle, static_cast<uint32_t>(batches.size()),
                                        batches.data(), fence);
}

void StressWorld::add_peer(std::shared_ptr<StressPeer> peer) {
    const std::lock_guard guard(pending_mutex_);
    peers_.push_back(std::move(peer));
}

std::shared_ptr<StressPeer> StressWorld::take_peer(std::chrono::milliseconds age) {
    const std::lock_guard guard(pending_mutex_);
    return take_front(peers_, age);
}

std::shared_ptr<StressPeer> StressWorld::take_peer(Draws& draws) {
    const std::lock_guard guard(pending_mutex_);
    if (peers_.empty()) {
        return nullptr;
    }
    const auto where = peers_.begin() + static_cast<std::ptrdiff_t>(draws.below(peers_.size()));
    std::shared_ptr<StressPeer> taken = std::move(*where);
    peers_.erase(where);
    return taken;
}

void StressWorld::signal(StressPeer& peer) {
    if (const int error = peer.signal(); error != 0) {
        differences.add("a peer's fence: " + std::string(std::strerror(error)) +
                        " (ETIMEDOUT: the machine is too slow for this test)");
    }
    const auto buffer = peer.let_go();
    check(differences, buffer->model, buffer->number, buffer->dma_buf->dma_buf(), true);
}

size_t StressWorld::peer_count() {
    const std::lock_guard guard(pending_mutex_);
    return peers_.size();
}

void StressWorld::add_timeline(std::shared_ptr<StressTimeline> timeline) {
    const std::lock_guard guard(pending_mutex_);
    timelines_.push_back(std::move(timeline));
}

std::shared_ptr<StressTimeline> StressWorld::take_timeline(std::chrono::milliseconds age) {
    const std::lock_guard guard(pending_mutex_);
    return take_front(timelines_, age);
}

void StressWorld::signal_from_host(StressTimeline& timeline) {
    const VkSemaphoreSignalInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
        .semaphore = timeline.handle,
        .value = 1,
    };
    timeline.host_begins();
    // As entry/queue_calls.cpp does it.
    bridge->timelines.host_signalling();
    (void)gpu.table.SignalSemaphore(gpu.device(), &info);
    complete_all(bridge->timelines.signalled_by_host({timeline.handle, 1}));
    timeline.host_has_signalled();
}

size_t StressWorld::timeline_count() {
    const std::lock_guard guard(pending_mutex_);
    return timelines_.size();
}

void StressWorld::retire(VkSemaphore timeline) {
    const std::lock_guard guard(retired_mutex_);
    retired_.push_back(timeline);
}

void StressWorld::destroy_retired() {
    std::vector<VkSemaphore> all;
    {
        const std::lock_guard guard(retired_mutex_);
        std::swap(all, retired_);
    }
    for (VkSemaphore timeline : all) {
        bridge->timelines.destroyed(timeline);
        gpu.destroy_timeline(timeline);
    }
}

void StressWorld::hurry() {
    destroy_retired();
    while (const auto timeline = take_timeline(old_age)) {
        signal_from_host(*timeline);
    }
    while (const auto peer = take_peer(old_age)) {
        signal(*peer);
    }
}

void StressWorld::settle() {
    while (const auto timeline = take_timeline({})) {
        signal_from_host(*timeline);
    }
    while (const auto peer = take_peer({})) {
        signal(*peer);
    }
    bool has_worked = true;
    while (has_worked) {
        has_worked = false;
        for (size_t queue = 0; queue < SimulatedGpu::queue_count; ++queue) {
            has_worked = gpu.step(queue) == SimulatedGpu::Step::Worked || has_worked;
        }
    }
    for (size_t queue = 0; queue < SimulatedGpu::queue_count; ++queue) {
        if (gpu.backlog(queue) != 0) {
            differences.add("queue " + std::to_string(queue) +
                            ": work that cannot go on though nothing is pending");
        }
    }
    for (size_t i = 0; i < shared_buffer_count; ++i) {
        const auto shared = buffer(i);
        check(differences, shared->model, i, shared->dma_buf->dma_buf(), true);
    }
    destroy_retired();
}

} // namespace fencebridge::test
