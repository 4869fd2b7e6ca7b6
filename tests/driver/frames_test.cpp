// Two processes, many frames: a producer that knows no fences, a consumer that polls and reads.
#include "apps/pair.hpp"
#include "support/results.hpp"
#include "support/vulkan_context.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fencebridge::test {
namespace {

#ifdef FENCEBRIDGE_SANITIZED
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

bool on_lavapipe() {
    const char* const driver = std::getenv("FENCEBRIDGE_DRIVER");
    return driver != nullptr && std::string_view(driver) == "lavapipe";
}

/// Hundreds where a frame is quick. lavapipe draws with the guest's own emulated CPU.
uint32_t frame_count() {
    if (is_sanitized) {
        return 30;
    }
    return on_lavapipe() ? 40 : 400;
}

/// Old pixels show at once.
uint32_t frame_count_off() {
    return std::min(frame_count(), 100U);
}

/// Longer than a consumer takes to look at a frame, or it would be late for it: a sanitized one is
/// slow, and any may have to wait for one of the machine's two processors. (With 16 ms of work one
/// frame in seventeen was over before a consumer on a busy machine looked.)
uint32_t work_ms() {
    return is_sanitized ? 150 : 40;
}

/// A sanitized consumer hears of many a frame when it is done, and so does one that has the guest's
/// two processors to share with the drawing.
bool is_pending_expected() {
    return !is_sanitized && !on_lavapipe();
}

TEST(Frames, WithoutTheLayerTheConsumerSeesOldPixels) {
    const auto seen = run_pair({.frames = frame_count_off(), .work_ms = work_ms()});
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->frames, frame_count_off());
    EXPECT_EQ(seen->pending, 0U) << "who put a fence there?";
    EXPECT_GT(seen->stale, 0U) << "the run with the layer would prove nothing";
    record_value("frames/off/stale", seen->stale, "frames", "> 0", seen->stale > 0);
}

TEST(Frames, WithTheLayerItNeverDoes) {
    const auto seen = run_pair({.frames = frame_count(), .work_ms = work_ms(), .bridged = true});
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->frames, frame_count());
    EXPECT_EQ(seen->stale, 0U);
    EXPECT_EQ(seen->timeouts, 0U);
    record_value("frames/on/stale", seen->stale, "frames", "= 0", seen->stale == 0);
    const double pending = static_cast<double>(seen->pending) / seen->frames;
    if (is_pending_expected()) {
        EXPECT_GE(pending, 0.95) << "fences should be pending at the hand-off";
    }
    record_value("frames/on/pending_share", pending, "share",
                 is_pending_expected() ? ">= 0.95" : "", !is_pending_expected() || pending >= 0.95);
    record_value("frames/on/submit_blocked_us", seen->submit_blocked_us, "us", "", true, "median");
}

/// Validation, on both sides of the layer, has nothing to say about the producer. (It writes to
/// stdout, where the producer writes one line of its own.)
TEST(Frames, ValidationHasNothingToSay) {
    const std::string validation = "VK_LAYER_KHRONOS_validation";
    const std::string bridge = "VK_LAYER_FENCEBRIDGE_implicit_sync";
    constexpr unsigned frames = 15;
    for (const bool above : {false, true}) {
        const auto seen = run_pair(
            {.frames = frames,
             .bridged = !above,
             .environment = {{"VK_INSTANCE_LAYERS", above ? validation + ":" + bridge : validation},
                             {"VK_VALIDATION_VALIDATE_SYNC", "1"}}});
        ASSERT_TRUE(seen) << "or validation spoke: " << (above ? "above" : "below");
        EXPECT_EQ(seen->frames, frames);
        EXPECT_EQ(seen->stale, 0U);
        EXPECT_EQ(seen->log.find("Validation"), std::string::npos) << seen->log;
    }
}

} // namespace
} // namespace fencebridge::test
