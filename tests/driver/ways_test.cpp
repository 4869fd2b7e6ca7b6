// Every way in which a buffer is handed out: with the layer no peer sees old content and the work
// is not waited for; without it every peer does.
#include "driver/ways.hpp"

#include <map>
#include <tuple>

namespace fencebridge::test {
namespace {

#ifdef FENCEBRIDGE_SANITIZED
constexpr Layers with_layer = Layers::Bridge;
#else
constexpr Layers with_layer = Layers::ValidationBelow;
#endif

/// A device with its calibrated work, shared by all ways that want the same: making one takes
/// longer than most ways.
struct Stage {
    explicit Stage(const ContextOptions& options) : context(options), work(context) {}
    VulkanContext context;
    LongWork work;
};

class WayTest : public testing::TestWithParam<ReleaseWay> {
protected:
    static void TearDownTestSuite() { stages().clear(); }

    static Stage& stage(Layers layers) {
        const ReleaseWay& way = GetParam();
        auto& made = stages()[{layers, way.settings, way.device_group}];
        if (!made) {
            made = std::make_unique<Stage>(ContextOptions{
                .layers = layers, .settings = way.settings, .device_group = way.device_group});
        }
        return *made;
    }

    /// Hands a buffer out, and looks at it at once.
    HandOffSeen perform(Layers layers) {
        Stage& here = stage(layers);
        Scene scene{.context = here.context, .work = here.work, .kept = {}};
        const SharedBuffer& shared = GetParam().hand_out(scene);
        const HandOffSeen seen = look_now(shared);
        EXPECT_TRUE(becomes_ready(shared.dma_buf, POLLIN));
        if (has_bridge(layers)) {
            EXPECT_EQ(shared.content(), new_value) << "after its fence";
        }
        FB_VK(vkQueueWaitIdle(here.context.queue));
        EXPECT_EQ(shared.content(), new_value) << "after the work";
        expect_no_messages(here.context);
        while (!scene.kept.empty()) {
            scene.kept.pop_back();
        }
        return seen;
    }

private:
    using Stages = std::map<std::tuple<Layers, SettingList, bool>, std::unique_ptr<Stage>>;
    static Stages& stages() {
        static Stages all;
        return all;
    }
};

TEST_P(WayTest, OnNoPeerSeesOldContent) {
    const HandOffSeen seen = perform(with_layer);
    EXPECT_FALSE(seen.stale);
    if (has_pending_source(stage(with_layer).context)) {
        EXPECT_TRUE(seen.pending) << "the work should still run";
    }
}

TEST_P(WayTest, OffEveryPeerDoes) {
    const HandOffSeen seen = perform(Layers::None);
    EXPECT_FALSE(seen.pending) << "who put a fence there?";
    EXPECT_TRUE(seen.stale) << "the test with the layer would prove nothing";
}

const auto by_name = [](const auto& way) { return way.param.name; };
INSTANTIATE_TEST_SUITE_P(Transfer, WayTest, testing::ValuesIn(transfer_ways()), by_name);
INSTANTIATE_TEST_SUITE_P(DeviceGroup, WayTest, testing::ValuesIn(device_group_ways()), by_name);
INSTANTIATE_TEST_SUITE_P(Touch, WayTest, testing::ValuesIn(touch_ways()), by_name);

} // namespace
} // namespace fencebridge::test
