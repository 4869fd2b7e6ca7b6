// A GPU for the stress test: it stands at the driver's boundary and works when the test says so,
// never before what it has to wait for has signalled. Its own fences are vgem's.
//
// FakeDriver (unit/) is told what to answer and never works; this one is told when to work.
#pragma once

#include "stress/vgem_fences.hpp"

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fencebridge::test {

/// A VkDeviceMemory of this GPU is the address of one of these.
struct SimulatedMemory {
    int dma_buf;
};

/// What the test wants to hear of one submit. Called with the GPU's lock held, but for finished().
class GpuObserver {
public:
    virtual ~GpuObserver() = default;
    GpuObserver() = default;
    GpuObserver(const GpuObserver&) = delete;
    GpuObserver& operator=(const GpuObserver&) = delete;

    /// The driver has it: the sync_files that each batch has to wait for. In the submitting call.
    virtual void submitted(std::span<const std::vector<Fd>> waits) = 0;
    /// Before and after the GPU looks whether a batch may start.
    virtual void is_looking(size_t batch) = 0;
    virtual void has_looked(size_t batch, bool may_start) = 0;
    /// Before and after the layer's semaphore or fence signals. `batch`: the last one it covers.
    virtual void is_signalling(size_t batch) = 0;
    virtual void has_signalled(int error) = 0;
    /// Before the application's own fence signals, and when all is over.
    virtual void is_finishing() = 0;
    virtual void has_finished() = 0;
};

/// Thread-safe as a driver is.
class SimulatedGpu {
public:
    static constexpr size_t queue_count = 4;

    explicit SimulatedGpu(VgemFences& fences);
    ~SimulatedGpu();
    SimulatedGpu(const SimulatedGpu&) = delete;
    SimulatedGpu& operator=(const SimulatedGpu&) = delete;

    VkDevice device() { return reinterpret_cast<VkDevice>(this); }
    VkQueue queue(size_t index) { return reinterpret_cast<VkQueue>(&queues_.at(index)); }
    VkuDeviceDispatchTable table{};

    /// While it lives, submits of this thread are of this work. `fails`: the first one is refused.
    class Call {
    public:
        Call(std::shared_ptr<GpuObserver> observer, bool fails);
        ~Call();
        Call(const Call&) = delete;
        Call& operator=(const Call&) = delete;
    };

    enum class Step : uint8_t { Idle, Blocked, Worked };
    /// Executes the next batch of a queue, where there is one and it may start.
    Step step(size_t queue);
    /// Submits that are not finished.
    size_t backlog(size_t queue);

    /// The application's own objects, made past the layer.
    VkSemaphore create_timeline();
    void destroy_timeline(VkSemaphore timeline);
    VkFence create_application_fence();
    void destroy_application_fence(VkFence fence);
    bool has_signalled(VkFence fence);

    /// Rules of Vulkan that the layer has broken, and how often.
    std::map<std::string, size_t> broken_rules();
    /// Semaphores and fences that exist.
    size_t live_objects();

private:
    struct Payload;
    struct Batch;
    struct Work;
    struct Semaphore;
    struct FenceObject;
    struct Queue {
        SimulatedGpu* gpu = nullptr;
        std::deque<std::shared_ptr<Work>> works;
    };
    struct Functions;

    VkResult submit(Queue& queue, std::vector<Batch> batches, VkFence fence);
    int export_payload(std::shared_ptr<Payload>& payload);
    void execute(Payload& payload);
    void rule(bool kept, const char* text);
    template<typename Handle>
    Handle new_handle();

    VgemFences& fences_;
    std::array<Queue, queue_count> queues_;
    std::mutex mutex_;
    std::map<VkSemaphore, Semaphore> semaphores_;
    std::map<VkFence, FenceObject> fence_objects_;
    std::map<std::string, size_t> broken_rules_;
    uintptr_t last_handle_ = 0x1000;
    uint64_t exports_ = 0;
};

} // namespace fencebridge::test
