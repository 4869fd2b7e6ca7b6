// Several threads at once: what TSan looks at, and that hand-offs of one buffer stay whole.
#include "driver/driver_test.hpp"

#include <vulkan/vulkan.h>

#include <array>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr int thread_count = 4;
#ifdef FENCEBRIDGE_SANITIZED
constexpr uint32_t rounds = 10;
#else
constexpr uint32_t rounds = 40;
#endif

/// A thread's own pool, buffer and fence; Vulkan wants them external to all other threads.
struct Worker {
    explicit Worker(const VulkanContext& context)
        : own(context, shared_extent), done(context), commands(context) {}

    SharedBuffer own;
    Fence done;
    CommandBuffer commands;
};

class Threads : public testing::TestWithParam<Layers> {};

TEST_P(Threads, HandOffsOfManyBuffersAtOnce) {
    VulkanContext context({.layers = GetParam(), .queue_count = 4});
    const LongWork work(context);
    // One buffer that all threads hand off: the layer orders export, submit and attach.
    const SharedBuffer common(context, shared_extent);
    std::vector<std::mutex> queue_locks(context.queues.size());
    std::mutex pool_lock;
    std::vector<std::unique_ptr<Worker>> workers;
    for (int i = 0; i < thread_count; ++i) {
        workers.push_back(std::make_unique<Worker>(context));
    }

    std::vector<std::thread> threads;
    for (size_t i = 0; i < workers.size(); ++i) {
        threads.emplace_back([&, i] {
            Worker& worker = *workers[i];
            const size_t queue = i % context.queues.size();
            const std::array<const SharedBuffer*, 2> shared_buffers{&worker.own, &common};
            for (uint32_t round = 1; round <= rounds; ++round) {
                const uint32_t value = static_cast<uint32_t>(i + 1) << 16 | round;
                {
                    // The command pool is common, as it is in many an application.
                    const std::lock_guard guard(pool_lock);
                    CommandBuffer& commands = worker.commands;
                    commands.begin();
                    for (const SharedBuffer* shared : shared_buffers) {
                        commands.acquire(*shared, VK_QUEUE_FAMILY_FOREIGN_EXT,
                                         VK_ACCESS_TRANSFER_WRITE_BIT);
                    }
                    work.record(commands, std::chrono::milliseconds(2));
                    for (const SharedBuffer* shared : shared_buffers) {
                        commands.fill(*shared, value);
                        commands.release(*shared, VK_QUEUE_FAMILY_FOREIGN_EXT,
                                         VK_ACCESS_TRANSFER_WRITE_BIT);
                    }
                    commands.end();
                }
                {
                    const std::lock_guard guard(queue_locks[queue]);
                    FB_VK(submit(context.queues[queue], worker.commands, worker.done.handle));
                }
                ASSERT_TRUE(becomes_ready(worker.own.dma_buf, POLLIN));
                ASSERT_EQ(worker.own.content(), value);
                ASSERT_EQ(worker.done.wait(), VK_SUCCESS);
                worker.done.reset();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(becomes_ready(common.dma_buf, POLLIN));
    EXPECT_EQ(common.content() & 0xffffU, rounds);
    FB_VK(vkDeviceWaitIdle(context.device));
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Layer, Threads, testing::Values(Layers::Bridge, Layers::ValidationBelow),
                         by_layers);

} // namespace
} // namespace fencebridge::test
