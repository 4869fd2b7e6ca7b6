// The stress test's world: the layer's bridge on a simulated GPU, 200 shared buffers, peers' fences
// and timelines, and what the test knows of them. The only file that knows how a Bridge is made and
// driven.
#pragma once

#include "handoff/bridge.hpp"
#include "kernel/simulated_gpu.hpp"
#include "stress/draws.hpp"
#include "stress/peer_fence.hpp"
#include "stress/stress_run.hpp"
#include "stress/submit_order.hpp"
#include "support/udmabuf.hpp"
#include "vulkan_handles.hpp"

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace fencebridge::test {

struct StressOptions {
    SourceKind source = SourceKind::Semaphore;
    bool with_layer = true; ///< false: the same calls go straight to the GPU
    uint64_t seed = 0;
};

/// A VkDeviceMemory on a dma-buf, with a VkBuffer in it. Freed with the object.
class StressMemory {
public:
    StressMemory(Bridge& bridge, std::shared_ptr<const Udmabuf> dma_buf, bool imported);
    ~StressMemory();
    StressMemory(const StressMemory&) = delete;
    StressMemory& operator=(const StressMemory&) = delete;

    VkBuffer buffer() { return handle_of_number<VkBuffer>(reinterpret_cast<uintptr_t>(this)); }
    /// The application asks for another descriptor, and closes it.
    void export_again();

private:
    VkDeviceMemory memory() {
        return handle_of_number<VkDeviceMemory>(reinterpret_cast<uintptr_t>(&simulated_));
    }

    SimulatedMemory simulated_;
    Bridge& bridge_;
    std::shared_ptr<const Udmabuf> dma_buf_;
};

/// One of the shared buffers: a dma-buf, its model, the memories that the application has of it.
class StressBuffer {
public:
    StressBuffer(Bridge& bridge, size_t number, bool imported);

    const size_t number;
    const std::shared_ptr<const Udmabuf> dma_buf;
    BufferModel model;

    /// The first memory, or the second where there is one.
    std::shared_ptr<StressMemory> memory(bool second);
    /// The same dma-buf is imported once more; or that second memory is freed.
    void toggle_second();

private:
    Bridge& bridge_;
    std::mutex mutex_;
    std::shared_ptr<StressMemory> first_;
    std::shared_ptr<StressMemory> second_;
};

/// A peer's work on one buffer.
class StressPeer final : public PeerFence {
public:
    StressPeer(VgemFences& fences, std::shared_ptr<StressBuffer> on, Usage its_usage)
        : PeerFence(fences, its_usage), buffer_(std::move(on)) {}

    /// It is done with its buffer, which holds it in its model.
    std::shared_ptr<StressBuffer> let_go() { return std::exchange(buffer_, nullptr); }

    const std::chrono::steady_clock::time_point born = std::chrono::steady_clock::now();

private:
    std::shared_ptr<StressBuffer> buffer_;
};

class StressWorld;

/// A timeline semaphore of the GPU: its value 1 is the point.
class StressTimeline final : public TimelinePoint {
public:
    StressTimeline(StressWorld& world, bool by_host, size_t waiting_queue);
    ~StressTimeline() override;

    const VkSemaphore handle;
    const size_t queue; ///< that waits for it
    const std::chrono::steady_clock::time_point born = std::chrono::steady_clock::now();

private:
    StressWorld& world_;
};

/// Everything public is for all threads.
class StressWorld {
public:
    StressWorld(const StressOptions& options, Differences& found);
    ~StressWorld();
    StressWorld(const StressWorld&) = delete;
    StressWorld& operator=(const StressWorld&) = delete;

    const StressOptions options;
    Differences& differences;
    VgemFences fences;
    SimulatedGpu gpu;
    Device device;
    std::optional<Bridge> bridge;
    std::array<QueueOrder, SimulatedGpu::queue_count> queues;

    std::shared_ptr<StressBuffer> buffer(size_t number);
    /// Frees a buffer and allocates another in its place; who still uses the old one keeps it.
    void replace_buffer(size_t number, bool imported);

    /// Submits on a queue whose lock is held.
    VkResult submit(size_t queue, std::span<const VkSubmitInfo> batches, VkFence fence);
    VkResult submit(size_t queue, std::span<const VkSubmitInfo2> batches, VkFence fence);

    void add_peer(std::shared_ptr<StressPeer> peer);
    /// The oldest. Null where there is none, or where it is younger than `age`.
    std::shared_ptr<StressPeer> take_peer(std::chrono::milliseconds age);
    /// Any of them, or null.
    std::shared_ptr<StressPeer> take_peer(Draws& draws);
    /// Ends its work and looks at its buffer.
    void signal(StressPeer& peer);
    size_t peer_count();

    void add_timeline(std::shared_ptr<StressTimeline> timeline);
    std::shared_ptr<StressTimeline> take_timeline(std::chrono::milliseconds age);
    void signal_from_host(StressTimeline& timeline);
    size_t timeline_count();
    /// Nobody uses it any more: it is destroyed soon.
    void retire(VkSemaphore timeline);

    /// No fence may grow old: vgem ends those that nobody signals for 10 s.
    void hurry();
    /// Ends everything that is pending and checks every buffer. One thread.
    void settle();

private:
    void destroy_retired();

    Instance instance_;
    std::mutex buffers_mutex_;
    std::vector<std::shared_ptr<StressBuffer>> buffers_;
    std::mutex pending_mutex_;
    std::deque<std::shared_ptr<StressPeer>> peers_;
    std::deque<std::shared_ptr<StressTimeline>> timelines_;
    std::mutex retired_mutex_;
    std::vector<VkSemaphore> retired_;
};

} // namespace fencebridge::test
