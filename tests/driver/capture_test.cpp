// A capture tool's layer above ours, and a reader of its picture that nobody synchronises with it.
#include "capture/captured_run.hpp"
#include "support/results.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace fencebridge::test {
namespace {

#ifdef FENCEBRIDGE_SANITIZED
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

bool is_driver(std::string_view name) {
    const char* const driver = std::getenv("FENCEBRIDGE_DRIVER");
    return driver != nullptr && driver == name;
}

/// lavapipe draws with the guest's own emulated CPU.
uint32_t frame_count() {
    if (is_sanitized) {
        return 15;
    }
    return is_driver("lavapipe") ? 40 : 120;
}

/// What stands behind the first `label` in the application's log, up to the next blank.
std::string text_after(const std::string& log, std::string_view label) {
    const size_t at = log.find(label);
    if (at == std::string::npos) {
        return {};
    }
    const size_t start = at + label.size();
    return log.substr(start, log.find_first_of(" \n", start) - start);
}
std::optional<uint32_t> number_after(const std::string& log, std::string_view label) {
    const std::string text = text_after(log, label);
    uint32_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

/// The file that the capture layer's calls go to.
std::string next_of_capture(const CapturedRunResult& run) {
    return std::filesystem::path(text_after(run.log, "capture: next is ")).filename();
}

/// Whether our layer leaves fences here, by its own log line. Where it waits there are none.
bool has_fences(const CapturedRunResult& run) {
    return text_after(run.log, "fence source ") != "wait";
}

void record(const std::string& layer, const CapturedRunResult& run) {
    const std::string name = "capture/" + layer + "/";
    record_value(name + "reads", run.reads, "reads", "", true);
    record_value(name + "torn", run.torn, "reads", "", true,
                 std::to_string(run.torn_then_pending) + " with a fence there after the read");
    record_value(name + "torn_undisturbed", run.undisturbed_torn, "reads",
                 layer == "off" ? "> 0" : "= 0", (layer == "off") == (run.undisturbed_torn > 0),
                 "of " + std::to_string(run.undisturbed) + " that no submit overlapped");
    record_value(name + "old_undisturbed", run.undisturbed_old, "reads",
                 layer == "off" ? "" : "= 0", layer == "off" || run.undisturbed_old == 0);
    record_value(name + "pending_polls", run.pending_polls, "polls", "", true,
                 "of " + std::to_string(run.polls));
    record_value(name + "pending_frames", run.pending_frames, "frames", "", true,
                 "of " + std::to_string(run.submits));
    // No bar: how often a reader gets to run is the machine's business.
    record_value(name + "poll_interval", run.interval_ms, "ms", "", true, "median");
}

/// Run once for all tests.
const std::optional<CapturedRunResult>& without_the_layer() {
    static const auto run = run_captured({.frames = frame_count()});
    return run;
}
const std::optional<CapturedRunResult>& with_the_layer() {
    static const auto run = run_captured({.frames = frame_count(), .bridged = true});
    return run;
}

TEST(Capture, WithoutTheLayerItsReaderSeesTornFramesAndNoFence) {
    const auto& run = without_the_layer();
    ASSERT_TRUE(run);
    EXPECT_TRUE(next_of_capture(*run).starts_with("libvulkan.so")) << run->log;
    EXPECT_EQ(run->submits, frame_count() + 1);
    EXPECT_EQ(run->pending_polls, 0U) << "who put a fence there?";
    EXPECT_GT(run->undisturbed_torn, 0U) << "the run with the layer would prove nothing";
    record("off", *run);
}

TEST(Capture, StandsAboveOursAndBreaksItsRules) {
    const auto& run = with_the_layer();
    ASSERT_TRUE(run);
    EXPECT_EQ(next_of_capture(*run), "libVkLayer_FENCEBRIDGE_implicit_sync.so") << run->log;
    // The first submit, if no other: the loader sets its data when the application asks for the
    // queue, and a device may have no second one.
    const uint32_t bare =
        number_after(run->log, "on a queue without the loader's data ").value_or(0);
    EXPECT_GE(bare, 1U) << run->log;
    record_value("capture/on/submits_without_loader_data", bare, "submits", ">= 1", bare >= 1);
}

TEST(Capture, WithTheLayerEveryFrameIsFenced) {
    const auto& run = with_the_layer();
    ASSERT_TRUE(run);
    const uint32_t submits = frame_count() + 1;
    EXPECT_EQ(run->submits, submits);
    EXPECT_EQ(run->timeouts, 0U);
    EXPECT_EQ(number_after(run->log, "releases "), submits) << run->log;
    EXPECT_EQ(number_after(run->log, "fallbacks "), 0U) << run->log;
    if (!has_fences(*run)) {
        EXPECT_FALSE(is_driver("venus")) << "it can, with what our layer enables: " << run->log;
        // The work is done when the submit returns: there is nothing to leave a fence of.
        EXPECT_EQ(number_after(run->log, "work already done "), submits) << run->log;
        EXPECT_EQ(run->pending_polls, 0U);
        return;
    }
    const uint32_t attached = number_after(run->log, "fences attached ").value_or(0);
    EXPECT_EQ(attached, submits) << run->log;
    record_value("capture/on/fences_attached", attached, "fences", "= " + std::to_string(submits),
                 attached == submits);
    // That no frame is read unfenced is the next test's; here, that the reader sees what it waits
    // for. Where the machine keeps it from running it misses some.
    EXPECT_GT(run->pending_frames, is_sanitized ? 0 : frame_count() / 2) << "of " << submits;
}

TEST(Capture, WithTheLayerOnlyAnOvertakenReadIsTorn) {
    const auto& run = with_the_layer();
    ASSERT_TRUE(run);
    EXPECT_GT(run->undisturbed, frame_count() / 2) << "too few reads to judge by";
    EXPECT_EQ(run->undisturbed_torn, 0U);
    EXPECT_EQ(run->undisturbed_old, 0U);
    record("on", *run);
    // A source that leaves no fences protects the reads between two submits, and not those during
    // one: this reader waits for nothing but fences. (Sanitized builds run nothing without the
    // layer.)
    if (has_fences(*run) && !is_sanitized) {
        const auto& off = without_the_layer();
        ASSERT_TRUE(off);
        EXPECT_LT(run->torn, off->torn);
    }
}

} // namespace
} // namespace fencebridge::test
