// Machines without a kernel part that we use: slower, and as correct. Which part is missing says
// the environment, FENCEBRIDGE_WITHOUT: `ioctls` or `vgem`.
#include "driver/driver_test.hpp"
#include "support/lesser_machine.hpp"

#include <cstdlib>
#include <string_view>

namespace fencebridge::test {
namespace {

bool is_without(std::string_view part) {
    const char* const missing = std::getenv("FENCEBRIDGE_WITHOUT");
    return missing != nullptr && part == missing;
}

class Machine : public testing::Environment {
public:
    void SetUp() override {
        const std::string problem =
            is_without("ioctls") ? without_sync_file_ioctls() : without_vgem();
        ASSERT_EQ(problem, "");
    }
};
const auto* const machine = testing::AddGlobalTestEnvironment(new Machine);

struct Frame {
    HandOffSeen seen;
    std::string log;
};

/// One frame written and released, with what a peer sees right after the submit.
Frame hand_out(Layers layers) {
    Frame frame;
    testing::internal::CaptureStderr();
    {
        VulkanContext context({.layers = layers});
        const LongWork work(context);
        const SharedBuffer shared(context, shared_extent);
        CommandBuffer commands(context);
        frame.seen = hand_out_frame(context, commands, work, shared);
        FB_VK(vkQueueWaitIdle(context.queue));
        expect_no_messages(context);
    }
    frame.log = testing::internal::GetCapturedStderr();
    return frame;
}

class LesserMachine : public testing::TestWithParam<std::string> {};

TEST_P(LesserMachine, NoPeerSeesOldContentAndTheLogSaysWhatIsMissing) {
    const Frame frame = hand_out(Layers::ValidationBelow);
    EXPECT_FALSE(frame.seen.stale);
    if (is_without("ioctls")) {
        EXPECT_FALSE(frame.seen.pending) << "nobody can attach a fence here";
        EXPECT_NE(frame.log.find("fence source wait"), std::string::npos) << frame.log;
        EXPECT_NE(frame.log.find("lacks the dma-buf sync_file ioctls"), std::string::npos)
            << frame.log;
    } else {
        EXPECT_EQ(frame.log.find("fence source proxy"), std::string::npos) << frame.log;
        EXPECT_NE(frame.log.find("guard off (no vgem"), std::string::npos) << frame.log;
    }
}

TEST_P(LesserMachine, WithoutTheLayerEveryPeerDoes) {
    EXPECT_TRUE(hand_out(Layers::None).seen.stale);
}

/// The part's name, so that the cases of both machines have names of their own.
std::string missing_part() {
    const char* const missing = std::getenv("FENCEBRIDGE_WITHOUT");
    return missing != nullptr ? missing : "vgem";
}
INSTANTIATE_TEST_SUITE_P(Without, LesserMachine, testing::Values(missing_part()),
                         [](const auto& part) { return part.param; });

} // namespace
} // namespace fencebridge::test
