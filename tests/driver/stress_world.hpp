// What the threads of the driver's stress test share: 200 buffers of a real driver, peers that work
// on them, timelines that the host signals late, and what is known of all that.
#pragma once

#include "stress/draws.hpp"
#include "stress/peer_fence.hpp"
#include "stress/stress_run.hpp"
#include "stress/submit_order.hpp"
#include "support/vulkan_commands.hpp"
#include "support/vulkan_context.hpp"
#include "support/vulkan_memory.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fencebridge::test {

/// A buffer's words: first one for each command buffer of the test, then some for its peers.
constexpr size_t recording_words = 64;
constexpr size_t peer_words = 64;

/// What another party, the GPU or another thread, may write at any time.
uint32_t word_at(const uint32_t* word);

/// Things to be done later, on a thread of their own.
class Later {
public:
    Later();
    /// Does what is left, at its time.
    ~Later();
    Later(const Later&) = delete;
    Later& operator=(const Later&) = delete;

    void in(std::chrono::microseconds delay, std::function<void()> job);
    /// Returns when nothing is left.
    void drain();

private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> jobs_;
    bool is_busy_ = false;
    bool is_over_ = false;
    std::thread thread_;
};

/// One of the shared buffers, with its dma-buf's model.
class StressBuffer {
public:
    StressBuffer(const VulkanContext& context, size_t its_number);

    const size_t number;
    BufferModel model;
    std::atomic<uint32_t> peers = 0; ///< that there ever were

    int dma_buf() const { return first_->dma_buf; }
    const uint32_t* word(size_t index) const { return &first_->words[index]; }

    /// The first memory, or the second where there is one.
    std::shared_ptr<SharedBuffer> memory(bool second);
    /// The dma-buf is imported once more into the same device; or that second memory is freed.
    void toggle_second();

private:
    const VulkanContext& context_;
    const std::shared_ptr<SharedBuffer> first_;
    std::mutex mutex_;
    std::shared_ptr<SharedBuffer> second_;
};

/// A peer's work: it leaves its number in the buffer, then its fence signals.
class StressPeer final : public PeerFence {
public:
    StressPeer(VgemFences& fences, std::shared_ptr<StressBuffer> buffer, Usage its_usage)
        : PeerFence(fences, its_usage), ordinal(++buffer->peers), buffer_(std::move(buffer)) {}

    /// 0, or the errno.
    int finish();

    const uint32_t ordinal; ///< from 1 on, among the buffer's peers

private:
    std::shared_ptr<StressBuffer> buffer_;
};

/// A timeline semaphore whose value 1 the host will signal.
class StressTimeline final : public TimelinePoint {
public:
    explicit StressTimeline(const VulkanContext& context);
    ~StressTimeline() override;

    void signal();

    VkSemaphore handle = VK_NULL_HANDLE;

private:
    const VulkanContext& context_;
};

class StressWorld {
public:
    StressWorld(const VulkanContext& its_context, Differences& found);
    StressWorld(const StressWorld&) = delete;
    StressWorld& operator=(const StressWorld&) = delete;

    const VulkanContext& context;
    Differences& differences;
    const LongWork work;
    VgemFences fences;
    std::vector<QueueOrder> queues;

    std::shared_ptr<StressBuffer> buffer(size_t number);
    /// Frees a buffer and allocates another in its place; who still uses the old one keeps it.
    void replace_buffer(size_t number);

    /// A peer begins to work on the buffer, and will be done by and by.
    void attach_peer(const std::shared_ptr<StressBuffer>& buffer, Usage usage,
                     std::chrono::microseconds takes);
    void signal_later(std::shared_ptr<StressTimeline> timeline, std::chrono::microseconds delay);

    /// The work of all threads is done: peers and timelines are waited for, every buffer is looked
    /// at.
    void settle();

private:
    std::mutex buffers_mutex_;
    std::vector<std::shared_ptr<StressBuffer>> buffers_;
    // On two threads: to signal a timeline may take until work is done that waits for a peer.
    Later peers_;
    Later timelines_;
};

} // namespace fencebridge::test
