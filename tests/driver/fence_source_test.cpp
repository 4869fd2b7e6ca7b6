// Every fence source, forced: slower or faster, no peer may see old content.
#include "driver/driver_test.hpp"

namespace fencebridge::test {
namespace {

struct Forced {
    std::string source;
    Layers layers;
};

std::string by_source(const testing::TestParamInfo<Forced>& parameter) {
    return parameter.param.source + name(parameter.param.layers);
}

class FenceSource : public testing::TestWithParam<Forced> {};

TEST_P(FenceSource, NoPeerSeesOldContent) {
    if (const std::string missing = missing_vgem();
        GetParam().source == "proxy" && !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    VulkanContext context(
        {.layers = GetParam().layers, .settings = {{"FENCE_SOURCE", GetParam().source}}});
    const LongWork work(context);
    const Fence fence(context);
    for (const bool with_fence : {false, true}) {
        const SharedBuffer shared(context, shared_extent);
        CommandBuffer commands(context);
        const HandOffSeen seen = hand_out_frame(context, commands, work, shared,
                                                with_fence ? fence.handle : VK_NULL_HANDLE);
        EXPECT_FALSE(seen.stale);
        if (GetParam().source == "wait") {
            EXPECT_FALSE(seen.pending);
            EXPECT_EQ(shared.content(), new_value) << "the submit should have waited";
        } else if (GetParam().source == "proxy") {
            EXPECT_TRUE(seen.pending) << "the work should still run";
        }
        EXPECT_TRUE(becomes_ready(shared.dma_buf, POLLIN));
        EXPECT_EQ(shared.content(), new_value);
        if (with_fence) {
            EXPECT_EQ(fence.wait(), VK_SUCCESS);
        }
        FB_VK(vkQueueWaitIdle(context.queue));
    }
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(
    Forced, FenceSource,
    testing::Values(Forced{"semaphore", Layers::Bridge},
                    Forced{"semaphore", Layers::ValidationBelow}, Forced{"fence", Layers::Bridge},
                    Forced{"fence", Layers::ValidationBelow}, Forced{"proxy", Layers::Bridge},
                    Forced{"proxy", Layers::ValidationBelow}, Forced{"wait", Layers::Bridge},
                    Forced{"wait", Layers::ValidationBelow}),
    by_source);

/// Switched off by its policy, the layer is there and bridges nothing.
TEST(PolicyOff, BridgesNothing) {
    VulkanContext context({.layers = Layers::Bridge, .settings = {{"POLICY", "off"}}});
    const LongWork work(context);
    const SharedBuffer shared(context, shared_extent);
    CommandBuffer commands(context);
    EXPECT_TRUE(hand_out_frame(context, commands, work, shared).stale);
    FB_VK(vkQueueWaitIdle(context.queue));
}

} // namespace
} // namespace fencebridge::test
