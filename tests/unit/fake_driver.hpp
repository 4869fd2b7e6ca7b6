// A Vulkan driver for tests: it stands at the driver's boundary, records what reaches it, fails
// when it is told to, and holds its caller to Vulkan's rules for semaphores and fences.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fencebridge::test {

/// A dispatch table whose functions come back to the object whose device handle they are given.
/// Thread-safe as a driver is. Its work never ends by itself: see `make_sync_file`, WaitForFences
/// and QueueWaitIdle end it.
class FakeDriver {
public:
    FakeDriver();
    ~FakeDriver();
    FakeDriver(const FakeDriver&) = delete;
    FakeDriver& operator=(const FakeDriver&) = delete;

    VkDevice device();
    VkQueue queue(size_t index = 0); ///< two of them
    VkuDeviceDispatchTable table{};

    struct Batch {
        std::vector<VkSemaphore> waits;
        std::vector<VkSemaphore> signals;
        std::vector<uint64_t> wait_values;   ///< empty where the batch names no timeline
        std::vector<uint64_t> signal_values; ///< the same
        std::vector<VkCommandBuffer> command_buffers;
    };
    struct Submit {
        VkQueue queue = VK_NULL_HANDLE;
        const void* structures = nullptr; ///< the pointer that the driver was given
        std::vector<Batch> batches;
        VkFence fence = VK_NULL_HANDLE;
        bool second_generation = false; ///< vkQueueSubmit2
    };
    std::vector<Submit> submits;

    /// What the next calls return; success where nothing is said. The first entry is the next
    /// call's.
    struct Outcomes {
        std::deque<VkResult> queue_submit;
        std::deque<VkResult> get_semaphore_fd;
        std::deque<VkResult> get_fence_fd;
        std::deque<VkResult> import_semaphore_fd;
        std::deque<VkResult> import_fence_fd;
        std::deque<VkResult> create_semaphore;
        std::deque<VkResult> create_fence;
        std::deque<VkResult> wait_for_fences;
        std::deque<VkResult> queue_wait_idle;
    } outcomes;

    /// The descriptor that an export gives; -1: signalled already. By default one that has
    /// signalled.
    std::function<int()> make_sync_file;

    /// Called in each vkQueueSubmit, where a driver would give the work to the kernel.
    std::function<void()> on_submit;

    /// What has been called, by name, in order: all but the submits' details.
    std::vector<std::string> calls;
    size_t count(const std::string& call) const;

    /// Payloads given to fences: the fence and whether it was "signalled already" (-1).
    std::vector<std::pair<VkFence, bool>> fence_imports;

    /// Rules of Vulkan that the caller has broken.
    std::vector<std::string> broken_rules;

    /// Semaphores and fences that exist, but the application's.
    size_t live_objects() const {
        return semaphores_.size() + fences_.size() - application_objects_;
    }

    /// A fence of the application's, made past the code under test.
    VkFence application_fence();

    /// The same, a binary semaphore that may be exported and has its signal submitted.
    VkSemaphore application_semaphore();

    /// Whether the semaphore has a signal to wait for, or a payload that stands for one.
    bool can_be_waited_for(VkSemaphore semaphore) const;

    /// Whether this fence has signalled or will: it was in a submit's slot, or was given a payload.
    bool will_signal(VkFence fence) const;

    std::map<VkSemaphore, uint64_t> counters; ///< of timeline semaphores

    /// Ends all work submitted so far as far as timeline semaphores show it.
    void finish_timelines();

    /// A timeline's value, safely beside the layer's threads.
    uint64_t counter(VkSemaphore semaphore);

private:
    struct Semaphore {
        bool exportable = false;
        bool signalled = false; ///< or has a signal pending
        bool imported = false;
        bool timeline = false;
    };
    struct Fence {
        bool exportable = false;
        bool signalled = false; ///< or has a signal pending
    };
    struct Functions;

    VkResult submit(VkQueue queue, Submit submit);
    void rule(bool kept, const char* text);
    template<typename Handle>
    Handle new_handle();

    mutable std::mutex mutex_;
    std::condition_variable signalled_;
    std::map<VkSemaphore, uint64_t> submitted_signals_; ///< of timelines, by submits
    std::map<VkSemaphore, Semaphore> semaphores_;
    std::map<VkFence, Fence> fences_;
    size_t application_objects_ = 0;
    uintptr_t last_handle_ = 0x1000;
    struct Queue {
        FakeDriver* driver = nullptr;
    } queues_[2];
};

} // namespace fencebridge::test
