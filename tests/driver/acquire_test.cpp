// Acquires: our work on a buffer that comes back waits for the fences that peers left on it.
#include "driver/driver_test.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/vgem.hpp"

#include <linux/dma-buf.h>

#include <atomic>
#include <thread>

namespace fencebridge::test {
namespace {

/// How long the peer takes. Our work must not start before; how much later does not matter.
constexpr std::chrono::milliseconds peer_time{250};

/// A peer that has put its fence on the buffer, writes new_value when its time has come, and
/// signals.
class SlowPeer {
public:
    SlowPeer(const SharedBuffer& shared, Usage usage)
        : fence_(pending_fence()), thread_([this, &shared, usage] {
              std::this_thread::sleep_for(peer_time);
              if (usage == Usage::Write) {
                  shared.fill_on_cpu(new_value);
              }
              signalled_ = true;
              fence_.signal();
          }) {
        import_sync_file(shared.dma_buf, fence_.sync_file(),
                         usage == Usage::Write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ);
    }
    ~SlowPeer() { thread_.join(); }
    SlowPeer(const SlowPeer&) = delete;
    SlowPeer& operator=(const SlowPeer&) = delete;

    bool has_signalled() const { return signalled_; }

private:
    std::atomic<bool> signalled_ = false;
    VgemFence fence_;
    std::thread thread_;
};

/// Reads the buffer's first word on the GPU, after an acquire.
uint32_t read_on_gpu(const VulkanContext& context, const SharedBuffer& shared,
                     Commands generation) {
    const Buffer read_back(context, 4, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
    *read_back.mapped = 0;
    CommandBuffer commands(context, generation);
    commands.begin();
    commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_READ_BIT);
    commands.copy_first_word(shared, read_back);
    commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_READ_BIT);
    commands.end();
    FB_VK(submit(context.queue, commands));
    FB_VK(vkQueueWaitIdle(context.queue));
    return *read_back.mapped;
}

struct Mode {
    Layers layers;
    std::vector<std::pair<std::string, std::string>> settings;
    std::string label;
};

class AcquireTest : public testing::TestWithParam<Mode> {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
    ContextOptions options() const {
        return {.layers = GetParam().layers, .settings = GetParam().settings};
    }
};

/// `auto` is `import` on both drivers of the guest.
const auto with_layer = testing::Values(
    Mode{Layers::Bridge, {}, "On"}, Mode{Layers::Bridge, {{"ACQUIRE", "poll"}}, "OnPoll"},
    Mode{Layers::Bridge, {{"ACQUIRE", "thread"}}, "OnThread"},
    Mode{Layers::ValidationBelow, {{"ACQUIRE", "thread"}}, "OnThreadValidationBelow"},
    Mode{Layers::ValidationBelow, {}, "OnValidationBelow"},
    Mode{Layers::ValidationAbove, {}, "OnValidationAbove"});
const auto without_layer = testing::Values(Mode{Layers::None, {}, "Off"});
const auto label = [](const auto& info) { return info.param.label; };

using AcquireOn = AcquireTest;
TEST_P(AcquireOn, ReadsWhatThePeerWrote) {
    VulkanContext context(options());
    for (const auto kind : {SharedBuffer::Kind::Buffer, SharedBuffer::Kind::Image}) {
        for (const auto generation : {Commands::Vulkan10, Commands::Synchronization2}) {
            const SharedBuffer shared(context, shared_extent, kind);
            shared.fill_on_cpu(old_value);
            const SlowPeer peer(shared, Usage::Write);
            EXPECT_EQ(read_on_gpu(context, shared, generation), new_value);
        }
    }
    expect_no_messages(context);
}

TEST_P(AcquireOn, ImportedMemoryWaitsToo) {
    VulkanContext owner({});
    VulkanContext context(options());
    const SharedBuffer original(owner, shared_extent);
    const SharedBuffer shared(context, shared_extent, original.dma_buf);
    shared.fill_on_cpu(old_value);
    const SlowPeer peer(shared, Usage::Write);
    EXPECT_EQ(read_on_gpu(context, shared, Commands::Vulkan10), new_value);
    expect_no_messages(context);
}

TEST_P(AcquireOn, AReaderDoesNotWaitForReaders) {
    VulkanContext context(options());
    const SharedBuffer shared(context, shared_extent);
    shared.fill_on_cpu(old_value);
    const SlowPeer peer(shared, Usage::Read);
    EXPECT_EQ(read_on_gpu(context, shared, Commands::Vulkan10), old_value);
    EXPECT_FALSE(peer.has_signalled()) << "two readers were serialised";
}

TEST_P(AcquireOn, AWriterWaitsForReaders) {
    VulkanContext context(options());
    const SharedBuffer shared(context, shared_extent);
    CommandBuffer commands(context);
    commands.begin();
    commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
    commands.fill(shared, new_value);
    commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
    commands.end();
    const SlowPeer peer(shared, Usage::Read);
    FB_VK(submit(context.queue, commands));
    FB_VK(vkQueueWaitIdle(context.queue));
    EXPECT_TRUE(peer.has_signalled()) << "our write did not wait for the peer's reading";
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Layer, AcquireOn, with_layer, label);

/// Without the layer our work starts at once.
using AcquireOff = AcquireTest;
TEST_P(AcquireOff, ReadsTooEarly) {
    VulkanContext context(options());
    const SharedBuffer shared(context, shared_extent);
    shared.fill_on_cpu(old_value);
    const SlowPeer peer(shared, Usage::Write);
    EXPECT_EQ(read_on_gpu(context, shared, Commands::Vulkan10), old_value);
    EXPECT_FALSE(peer.has_signalled());
}
INSTANTIATE_TEST_SUITE_P(Layer, AcquireOff, without_layer, label);

/// Semaphores that carried a peer's fence come back to their pool: many acquires need few.
TEST(AcquireMany, AcquiresWithoutReleasesGoOn) {
    if (const std::string missing = missing_vgem(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    VulkanContext context({.layers = Layers::ValidationBelow, .settings = {{"ACQUIRE", "import"}}});
    const SharedBuffer shared(context, shared_extent);
    const Buffer read_back(context, 4, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
    CommandBuffer commands(context);
    commands.begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_READ_BIT);
    commands.copy_first_word(shared, read_back);
    commands.full_barrier();
    commands.end();
    for (int round = 0; round < 80; ++round) {
        VgemFence fence = pending_fence();
        import_sync_file(shared.dma_buf, fence.sync_file(), DMA_BUF_SYNC_WRITE);
        std::thread peer([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
            fence.signal();
        });
        FB_VK(submit(context.queue, commands));
        peer.join();
    }
    FB_VK(vkQueueWaitIdle(context.queue));
    expect_no_messages(context);
}

} // namespace
} // namespace fencebridge::test
