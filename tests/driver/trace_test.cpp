// The trace of an application's hand-offs on a real driver, read by the command: it tells of as
// many as the layer has counted.
#include "driver/headless_present.hpp"
#include "support/child_process.hpp"
#include "support/stderr_copy.hpp"
#include "support/temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {
namespace {

using nlohmann::json;

using Counters = std::map<std::string, uint64_t>;
constexpr uint64_t frames = 6;

/// What the layer says at the end of the device that `run` makes, by the words of the log's line.
template<typename Run>
Counters counters_after(Run&& run) {
    StderrCopy copy;
    run();
    const std::string log = copy.finish();
    Counters counters;
    for (const char* words :
         {"releases", "fences attached", "work already done", "parked", "acquires", "idle",
          "waits imported", "waits on a thread", "waits on CPU", "guarded", "fallbacks"}) {
        // "(idle 3," and " acquires 3 (": a word begins behind a blank or a bracket.
        for (const char before : {' ', '('}) {
            const std::string label = before + std::string(words) + ' ';
            if (const size_t at = log.rfind(label); at != std::string::npos) {
                counters[words] = std::stoull(log.substr(at + label.size()));
                break;
            }
        }
        EXPECT_TRUE(counters.contains(words)) << words << " in: " << log;
    }
    return counters;
}

/// Some frames of two buffers.
void hand_out_frames(const ContextOptions& options) {
    const VulkanContext context(options);
    const LongWork work(context);
    const SharedBuffer first(context, shared_extent);
    const SharedBuffer second(context, shared_extent);
    CommandBuffer commands(context);
    for (uint64_t i = 0; i < frames; ++i) {
        const SharedBuffer& shared = i % 2 == 0 ? first : second;
        EXPECT_FALSE(hand_out_frame(context, commands, work, shared).stale);
        FB_VK(vkQueueWaitIdle(context.queue));
    }
}

void present_frames(const ContextOptions& options) {
    const VulkanContext context(with_headless_swapchain(options));
    const HeadlessSwapchain swapchain(context, present_extent, present_usage);
    CommandBuffer commands(context);
    for (uint64_t i = 0; i < frames; ++i) {
        const uint32_t index = swapchain.acquire();
        draw(commands, swapchain.images.at(index), nullptr);
        swapchain.present(commands, index);
        FB_VK(vkQueueWaitIdle(context.queue));
    }
}

ChildResult fencebridge_trace(const std::vector<std::string>& arguments) {
    std::vector<std::string> command{from_build("FENCEBRIDGE_COMMAND"), "trace"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run_child(command);
}

/// The hand-offs that the command finds in a trace: what Perfetto gets to know of each.
std::vector<json> hand_offs_in(const std::string& file) {
    const ChildResult child = fencebridge_trace({"--json", file});
    EXPECT_EQ(child.exit_status, 0) << child.err;
    const json trace = json::parse(child.out, nullptr, false);
    EXPECT_EQ(trace.at("otherData").at("devices").size(), 1U);
    EXPECT_EQ(trace.at("otherData").at("torn"), 0);
    std::vector<json> hand_offs;
    for (const json& event : trace.at("traceEvents")) {
        if (event.value("cat", "") == "hand-off") {
            hand_offs.push_back(event.at("args"));
        }
    }
    return hand_offs;
}

void expect_told_as_counted(const std::vector<json>& hand_offs, Counters counters) {
    Counters told;
    for (const json& what : hand_offs) {
        const std::string outcome = what.at("outcome");
        const std::string direction = what.at("direction");
        ++told[direction + " " + outcome];
        told[direction] += outcome == "parked" ? 0U : 1U;
        told["guarded"] += what.at("guarded").get<bool>() ? 1U : 0U;
        EXPECT_LE(what.at("gap_us").get<double>(), what.at("span_us").get<double>());
    }
    EXPECT_EQ(counters["releases"], frames);
    EXPECT_EQ(counters["acquires"], frames);
    EXPECT_EQ(told["release"], counters["releases"]);
    EXPECT_EQ(told["release attached"], counters["fences attached"]);
    EXPECT_EQ(told["release done"] + told["release cpu-wait"], counters["work already done"]);
    EXPECT_EQ(told["release parked"], counters["parked"]);
    EXPECT_EQ(told["acquire"], counters["acquires"]);
    EXPECT_EQ(told["acquire idle"], counters["idle"]);
    EXPECT_EQ(told["acquire imported"], counters["waits imported"]);
    EXPECT_EQ(told["acquire thread"], counters["waits on a thread"]);
    EXPECT_EQ(told["acquire cpu-wait"], counters["waits on CPU"]);
    EXPECT_EQ(told["guarded"], counters["guarded"]);
    EXPECT_EQ(counters["fallbacks"], 0U) << "or the sums above mean something else";
}

TEST(Traced, OnTheTraceTellsOfWhatTheLayerHasCounted) {
    const TemporaryFolder folder;
    const Counters counters = counters_after([&] {
        hand_out_frames({.layers = Layers::Bridge,
                         .settings = {{"TRACE", (folder.path() / "trace-%p").string()}}});
    });
    const std::string file = (folder.path() / ("trace-" + std::to_string(::getpid()))).string();
    const std::vector<json> hand_offs = hand_offs_in(file);
    expect_told_as_counted(hand_offs, counters);
    std::set<uint64_t> buffers;
    for (const json& what : hand_offs) {
        buffers.insert(what.at("buffer").get<uint64_t>());
        EXPECT_EQ(what.at("access"), "write");
        EXPECT_EQ(what.at("origin"), "transfer");
        EXPECT_EQ(what.at("queue"), 0);
    }
    EXPECT_EQ(buffers.size(), 2U);

    const ChildResult text = fencebridge_trace({file, "--last", "2"});
    EXPECT_EQ(text.exit_status, 0) << text.err;
    EXPECT_NE(text.out.find("release"), std::string::npos) << text.out;
}

TEST(Traced, OnPresentsAreTold) {
    const TemporaryFolder folder;
    const std::string file = (folder.path() / "trace").string();
    const Counters counters = counters_after([&] {
        present_frames({.layers = Layers::Bridge,
                        .shares_memory = false,
                        .settings = {{"PRESENT", "owned"}, {"TRACE", file}}});
    });
    const std::vector<json> hand_offs = hand_offs_in(file);
    expect_told_as_counted(hand_offs, counters);
    for (const json& what : hand_offs) {
        EXPECT_EQ(what.at("origin"), "present");
        EXPECT_EQ(what.at("queue").is_null(), what.at("direction") == "acquire");
    }
}

TEST(Traced, OffThereIsNoFile) {
    const TemporaryFolder folder;
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path());
    const Counters counters = counters_after([] { hand_out_frames({.layers = Layers::Bridge}); });
    std::filesystem::current_path(before);
    EXPECT_EQ(counters.at("releases"), frames);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Traced, FileThatCannotBeMadeIsSaidAndFailsNothing) {
    const TemporaryFolder folder;
    StderrCopy copy;
    {
        const VulkanContext context(
            {.layers = Layers::Bridge,
             .settings = {{"TRACE", (folder.path() / "none" / "trace").string()}}});
        const SharedBuffer shared(context, shared_extent);
    }
    const std::string log = copy.finish();
    EXPECT_NE(log.find("warning: no trace in"), std::string::npos) << log;
    EXPECT_NE(log.find("releases 0"), std::string::npos) << log;
}

TEST(Traced, CommandSaysWhatIsNoTrace) {
    const TemporaryFolder folder;
    const std::string file = folder.write("notes", "no trace, but a text of some length");
    const ChildResult child = fencebridge_trace({file});
    EXPECT_EQ(child.exit_status, 2);
    EXPECT_EQ(child.out, "");
    EXPECT_NE(child.err.find("is no trace"), std::string::npos) << child.err;
}

} // namespace
} // namespace fencebridge::test
