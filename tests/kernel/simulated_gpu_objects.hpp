// What simulated_gpu.cpp and its entry points share.
#pragma once

#include "kernel/simulated_gpu.hpp"

namespace fencebridge::test {

/// A signal operation of some work.
struct SimulatedGpu::Payload {
    std::shared_ptr<GpuObserver> observer;
    size_t batch = 0;       ///< the last one that it covers
    bool is_layers = false; ///< on an object of the layer's, not of the application's
    bool executed = false;
    std::optional<VgemFences::Fence> fence; ///< once it was exported
};

struct SimulatedGpu::Batch {
    struct Point {
        VkSemaphore semaphore;
        uint64_t value;
    };
    std::vector<Point> waits;
    std::vector<Point> signals;
    // Filled by submit().
    std::vector<Fd> sync_files;
    std::vector<Point> timeline_waits;
    std::vector<Point> timeline_signals;
    std::vector<std::shared_ptr<Payload>> payloads;
};

struct SimulatedGpu::Work {
    std::shared_ptr<GpuObserver> observer;
    bool is_trailing = false; ///< the layer's, behind the application's
    std::vector<Batch> batches;
    size_t next = 0;
    std::shared_ptr<Payload> fence;
};

struct SimulatedGpu::Semaphore {
    bool exportable = false;
    std::optional<uint64_t> counter; ///< of a timeline
    std::shared_ptr<Payload> payload;
    Fd imported;
    std::shared_ptr<Work> waiting; ///< the last work that waits, or has waited, for it
    size_t waiting_batch = 0;      ///< in it

    bool is_in_use() const { return waiting != nullptr && waiting->next <= waiting_batch; }
};

struct SimulatedGpu::FenceObject {
    bool exportable = false;
    bool is_layers = false;
    std::shared_ptr<Payload> payload;
    bool has_import = false;
    Fd imported; ///< none with has_import: had signalled already
};

/// The entry points: each locks and does its part.
struct SimulatedGpu::Functions {
    static SimulatedGpu& gpu(VkDevice device) { return *reinterpret_cast<SimulatedGpu*>(device); }
    static void fill(VkuDeviceDispatchTable& table);
};

} // namespace fencebridge::test
