// The gap: between the driver's submit and the attach of its fence, a reader that waits for no
// message must not find the buffer ready while work runs on it.
#include "driver/driver_test.hpp"

#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace fencebridge::test {
namespace {

/// A thousand where a frame is quick.
uint32_t frame_count() {
#ifdef FENCEBRIDGE_SANITIZED
    return 30;
#else
    const char* const driver = std::getenv("FENCEBRIDGE_DRIVER");
    return driver != nullptr && std::string_view(driver) == "lavapipe" ? 100 : 1000;
#endif
}
constexpr std::chrono::milliseconds frame_work{4};

/// Looks at the buffer a thousand times a second, as long as it lives.
class Poller {
public:
    explicit Poller(const SharedBuffer& shared) : shared_(shared), thread_([this] { run(); }) {}
    ~Poller() { stop(); }
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    void stop() {
        stopping_ = true;
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    uint32_t looks = 0;
    uint32_t pending = 0;               ///< looks that found a fence
    std::atomic<uint32_t> unfenced = 0; ///< looks that found running work and no fence

private:
    void run() {
        const volatile uint32_t* const first = shared_.words.data();
        const volatile uint32_t* const last = &shared_.words.back();
        while (!stopping_) {
            ++looks;
            if (!is_ready(shared_.dma_buf, POLLIN)) {
                ++pending;
            } else {
                // A frame writes its number into the first word when it begins and into the last
                // one when it ends. Running work is what has begun and not ended, where the buffer
                // was ready all the while.
                const uint32_t begun = *first;
                const uint32_t ended = *last;
                if (begun != ended && *first == begun && is_ready(shared_.dma_buf, POLLIN) &&
                    *last == ended) {
                    ++unfenced;
                }
            }
            std::this_thread::sleep_for(std::chrono::microseconds(700));
        }
    }

    const SharedBuffer& shared_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

struct Guarding {
    std::string name;
    Layers layers;
    std::vector<std::pair<std::string, std::string>> settings;
};

/// Draws the frames beside a poller, and gives back what that has seen. Where running work is
/// looked for, the first that is found is enough.
std::unique_ptr<Poller> draw(const Guarding& guarding, bool until_seen) {
    const VulkanContext context({.layers = guarding.layers, .settings = guarding.settings});
    const LongWork work(context);
    const SharedBuffer shared(context, shared_extent);
    const Fence fence(context);
    CommandBuffer commands(context);
    shared.fill_on_cpu(0);
    const VkDeviceSize end = VkDeviceSize{shared_extent.width} * shared_extent.height * 4 - 4;
    auto poller = std::make_unique<Poller>(shared);
    const uint32_t frames = until_seen ? 1000 : frame_count();
    for (uint32_t frame = 1; frame <= frames && !(until_seen && poller->unfenced != 0); ++frame) {
        commands.begin();
        commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        vkCmdFillBuffer(commands.handle, shared.buffer, 0, 4, frame);
        commands.full_barrier();
        work.record(commands, frame_work);
        vkCmdFillBuffer(commands.handle, shared.buffer, end, 4, frame);
        commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands.end();
        FB_VK(submit(context.queue, commands, fence.handle));
        FB_VK(fence.wait());
        fence.reset();
    }
    poller->stop();
    std::printf("%s: %u looks, %u with a fence, %u at running work without one\n",
                guarding.name.c_str(), poller->looks, poller->pending, poller->unfenced.load());
    return poller;
}

class GuardTest : public testing::TestWithParam<Guarding> {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
};

using GuardOn = GuardTest;
TEST_P(GuardOn, NoRunningWorkIsSeenWithoutAFence) {
    const auto seen = draw(GetParam(), false);
    EXPECT_EQ(seen->unfenced, 0U);
    EXPECT_GT(seen->pending, 0U);
}
INSTANTIATE_TEST_SUITE_P(Layer, GuardOn,
                         testing::Values(Guarding{"Auto", Layers::Bridge, {}},
                                         Guarding{
                                             "Wait", Layers::Bridge, {{"FENCE_SOURCE", "wait"}}}),
                         [](const auto& guarding) { return guarding.param.name; });

using GuardOff = GuardTest;
TEST_P(GuardOff, RunningWorkIsSeen) {
    const auto seen = draw(GetParam(), true);
    EXPECT_GT(seen->unfenced, 0U) << "the test with the guard would prove nothing";
}
INSTANTIATE_TEST_SUITE_P(Layer, GuardOff,
                         testing::Values(Guarding{"NoGuardWait",
                                                  Layers::Bridge,
                                                  {{"GUARD", "off"}, {"FENCE_SOURCE", "wait"}}},
                                         Guarding{"NoGuard", Layers::Bridge, {{"GUARD", "off"}}},
                                         Guarding{"NoLayer", Layers::None, {}}),
                         [](const auto& guarding) { return guarding.param.name; });

} // namespace
} // namespace fencebridge::test
