// One thread of the stress test: it draws operations and does them, each held against the model.
#pragma once

#include "kernel/stress_submit.hpp"
#include "vulkan_handles.hpp"

#include <array>
#include <memory>
#include <vector>

namespace fencebridge::test {

class StressThread {
public:
    StressThread(StressWorld& world, size_t number);
    ~StressThread();
    StressThread(const StressThread&) = delete;
    StressThread& operator=(const StressThread&) = delete;

    /// Does the thread's next operations. Called again, it goes on with what it would have drawn.
    void run(uint64_t operations);
    /// Everything has finished: lets go of it, and checks the application's own fences.
    void settle();

private:
    /// A command buffer of the thread's pool.
    struct Recording {
        bool is_recorded = false;
        StressBatch hand_offs;
        std::vector<std::shared_ptr<StressSubmit>> submits; ///< that may not have finished
    };
    /// A submit whose application fence is to be looked at.
    struct OwnFence {
        std::shared_ptr<StressSubmit> submit;
        VkFence fence;
        bool is_exportable;
    };
    /// What a submit does with timelines, if anything.
    struct Timelines {
        std::shared_ptr<StressTimeline> wait;
        std::shared_ptr<StressTimeline> signal;
    };

    void do_one();
    void submit(const Timelines& timelines, size_t queue);
    void submit_with_lock(const Timelines& timelines, size_t queue);
    void submit_before_signal();
    void resolve();
    void attach_peer();
    void signal_peers();
    void work();
    void check_any();
    void reset_pool();

    bool is_idle(Recording& recording);
    void record(Recording& recording);
    void look_at_own_fences();

    VkCommandBuffer handle(Recording& recording) {
        return reinterpret_cast<VkCommandBuffer>(&recording);
    }
    VkCommandPool pool() {
        return handle_of_number<VkCommandPool>(reinterpret_cast<uintptr_t>(this));
    }
    void allocate_command_buffers();
    size_t any_buffer();
    Usage any_access() { return draws_.one_in(2) ? Usage::Write : Usage::Read; }
    size_t any_queue() { return draws_.below(SimulatedGpu::queue_count); }

    StressWorld& world_;
    const size_t number_;
    Draws draws_;
    uint64_t operation_ = 0;
    std::array<Recording, 6> recordings_;
    std::vector<OwnFence> own_fences_;
};

} // namespace fencebridge::test
