// Releases: a submit that hands a buffer out leaves a fence on it before it returns.
#include "driver/driver_test.hpp"
#include "support/few_descriptors.hpp"

#include <memory>
#include <optional>

namespace fencebridge::test {
namespace {

/// One way to hand a buffer out.
struct Release {
    SharedBuffer::Kind kind;
    Commands commands;
    uint32_t family;
    bool with_fence; ///< the application puts a fence of its own in the submit

    std::string name() const {
        return std::string(kind == SharedBuffer::Kind::Image ? "image" : "buffer") +
               (commands == Commands::Vulkan10 ? ", submit" : ", submit2") +
               (family == VK_QUEUE_FAMILY_EXTERNAL ? ", EXTERNAL" : ", FOREIGN") +
               (with_fence ? ", own fence" : "");
    }
};

std::vector<Release> all_releases() {
    std::vector<Release> all;
    for (const auto kind : {SharedBuffer::Kind::Buffer, SharedBuffer::Kind::Image}) {
        for (const auto commands : {Commands::Vulkan10, Commands::Synchronization2}) {
            for (const auto family : {VK_QUEUE_FAMILY_EXTERNAL, VK_QUEUE_FAMILY_FOREIGN_EXT}) {
                for (const bool with_fence : {false, true}) {
                    all.push_back({kind, commands, family, with_fence});
                }
            }
        }
    }
    return all;
}

/// Writes new_value behind long work, releases, submits, and looks.
class ReleaseTest : public testing::TestWithParam<Layers> {
protected:
    void SetUp() override {
        context_ = std::make_unique<VulkanContext>(ContextOptions{.layers = GetParam()});
        work_ = std::make_unique<LongWork>(*context_);
    }
    void TearDown() override {
        if (context_) {
            work_.reset();
            expect_no_messages(*context_);
        }
    }

    HandOffSeen hand_out(const Release& release) {
        const SharedBuffer shared(*context_, shared_extent, release.kind);
        const Fence fence(*context_);
        CommandBuffer commands(*context_, release.commands);
        const HandOffSeen seen =
            hand_out_frame(*context_, commands, *work_, shared,
                           release.with_fence ? fence.handle : VK_NULL_HANDLE, release.family);

        EXPECT_TRUE(becomes_ready(shared.dma_buf, POLLIN)) << release.name();
        if (has_bridge(GetParam())) {
            EXPECT_EQ(shared.content(), new_value) << release.name() << ": after its fence";
        }
        if (release.with_fence) {
            EXPECT_EQ(fence.wait(), VK_SUCCESS) << release.name();
            EXPECT_EQ(shared.content(), new_value) << release.name() << ": after the own fence";
            fence.reset();
            EXPECT_EQ(fence.status(), VK_NOT_READY) << release.name();
        }
        FB_VK(vkQueueWaitIdle(context_->queue));
        return seen;
    }

    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<LongWork> work_;
};

using ReleaseOn = ReleaseTest;
TEST_P(ReleaseOn, NoPeerSeesOldContent) {
    for (const Release& release : all_releases()) {
        const HandOffSeen seen = hand_out(release);
        EXPECT_FALSE(seen.stale) << release.name();
        if (has_pending_source(*context_)) {
            EXPECT_TRUE(seen.pending) << release.name() << ": the work should still run";
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Layer, ReleaseOn,
                         testing::Values(Layers::Bridge, Layers::ValidationBelow,
                                         Layers::ValidationAbove),
                         by_layers);

/// The same without the layer: were nothing stale, the test above would prove nothing.
using ReleaseOff = ReleaseTest;
TEST_P(ReleaseOff, EveryPeerSeesOldContent) {
    for (const Release& release : all_releases()) {
        const HandOffSeen seen = hand_out(release);
        EXPECT_FALSE(seen.pending) << release.name();
        EXPECT_TRUE(seen.stale) << release.name();
    }
}
INSTANTIATE_TEST_SUITE_P(Layer, ReleaseOff, testing::Values(Layers::None, Layers::ValidationOnly),
                         by_layers);

/// A buffer that was only read is handed back with a READ fence: readers need not wait for it.
class ReadRelease : public testing::TestWithParam<Layers> {};
TEST_P(ReadRelease, LeavesAReadFence) {
    VulkanContext context({.layers = GetParam()});
    const LongWork work(context);
    if (!has_pending_source(context)) {
        GTEST_SKIP() << "this driver's work is done when the submit returns: no pending fence to "
                        "tell READ from WRITE";
    }
    const SharedBuffer shared(context, shared_extent);
    const Buffer read_back(context, 4, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
    CommandBuffer commands(context);
    commands.begin();
    commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_READ_BIT);
    work.record(commands, long_work);
    commands.copy_first_word(shared, read_back);
    commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_READ_BIT);
    commands.end();
    FB_VK(submit(context.queue, commands));
    const bool readers_may = is_ready(shared.dma_buf, POLLIN);
    const bool writers_may = is_ready(shared.dma_buf, POLLOUT);
    EXPECT_TRUE(readers_may);
    EXPECT_EQ(writers_may, !has_bridge(GetParam())) << "a writer must wait for our reading";
    EXPECT_TRUE(becomes_ready(shared.dma_buf, POLLOUT));
    FB_VK(vkQueueWaitIdle(context.queue));
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Layer, ReadRelease, testing::Values(Layers::None, Layers::Bridge),
                         by_layers);

/// The application's own fence tells the truth, reset after reset, while its slot serves us too.
TEST(OwnFence, SignalsWithItsOwnWorkEveryTime) {
    VulkanContext context({.layers = Layers::Bridge});
    const LongWork work(context);
    const SharedBuffer shared(context, shared_extent);
    const Fence fence(context);
    CommandBuffer commands(context);
    for (uint32_t round = 1; round <= 50; ++round) {
        commands.begin();
        commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        work.record(commands, std::chrono::milliseconds(5));
        commands.fill(shared, round);
        commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands.end();
        FB_VK(submit(context.queue, commands, fence.handle));
        ASSERT_EQ(fence.wait(), VK_SUCCESS);
        ASSERT_EQ(fence.status(), VK_SUCCESS);
        ASSERT_EQ(shared.content(), round);
        fence.reset();
        ASSERT_EQ(fence.status(), VK_NOT_READY);
    }
    expect_no_messages(context);
}

/// Nothing is left behind: not a descriptor more after many frames than after a few.
TEST(Growth, NoDescriptorIsLeftBehind) {
    VulkanContext context({.layers = Layers::Bridge});
    const SharedBuffer shared(context, shared_extent);
    const Fence fence(context);
    CommandBuffer commands(context);
    std::optional<size_t> before;
    for (int round = 0; round < 300; ++round) {
        commands.begin();
        commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands.fill(shared, new_value);
        commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands.end();
        FB_VK(submit(context.queue, commands, fence.handle));
        FB_VK(fence.wait());
        fence.reset();
        if (round == 20) {
            before = open_descriptors();
        }
    }
    // The proxies that are in flight at once vary by a few; a leak would be hundreds.
    EXPECT_LE(open_descriptors(), *before + 16);
}

} // namespace
} // namespace fencebridge::test
