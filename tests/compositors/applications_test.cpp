// Applications of other people's in a window on a real compositor, each with the driver's own
// swapchain and with ours: it runs as well, and every frame goes out with its fence.
#include "compositors/compositor_run.hpp"
#include "compositors/screenshot.hpp"
#include "support/child_process.hpp"
#include "support/process_group.hpp"
#include "support/results.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fencebridge::test {
namespace {

struct Application {
    const char* name;
    std::vector<std::string> argv;
    Environment environment;
    unsigned fewest_frames;         ///< that it shows
    bool ends_device = true;        ///< and the layer's counters are in the log; some just leave
    std::vector<int> endings = {0}; ///< the exit statuses that it has without the layer
};

const std::vector<Application>& applications() {
    // Those that would go on for ever are asked to end as a desktop asks them.
    const auto a_while = [](const char* seconds, std::vector<std::string> argv) {
        argv.insert(argv.begin(), {"/usr/bin/timeout", "--preserve-status", seconds});
        return argv;
    };
    // GTK makes its pipelines first. Where the guest's processors have to draw them, and the
    // compositor's windows beside, no frame was there after 45 s.
    const char* const gtk_time =
        environment_variable("FENCEBRIDGE_DRIVER") == "lavapipe" ? "100" : "45";
    static const std::vector<Application> all{
        {"Vkcube", {"/usr/bin/vkcube", "--wsi", "wayland", "--c", "40"}, {}, 40},
        {"Vkmark",
         {"/usr/bin/vkmark", "--winsys", "wayland", "-s", "256x192", "-b", "clear:duration=6"},
         {},
         20},
        // A Vulkan renderer of its own (libplacebo). A software driver has to be allowed. On Venus
        // it crashes in the end.
        {"Mpv",
         {"/usr/bin/mpv", "--no-config", "--really-quiet", "--vo=gpu-next", "--gpu-api=vulkan",
          "--gpu-context=waylandvk", "--gpu-sw=yes", "--ao=null", "--frames=6",
          "--geometry=256x192", "av://lavfi:testsrc=size=160x120:rate=10"},
         {},
         5,
         true,
         {0, 128 + SIGSEGV}},
        {"Sdl",
         a_while("15", {"/usr/libexec/installed-tests/SDL3/testvulkan", "--geometry", "256x192"}),
         {{"SDL_VIDEODRIVER", "wayland"}},
         20},
        {"Gtk",
         a_while(gtk_time, {"/usr/bin/gtk4-demo", "--run=spinner"}),
         {{"GSK_RENDERER", "vulkan"}, {"GDK_BACKEND", "wayland"}},
         2,
         false,
         {128 + SIGTERM}},
    };
    return all;
}

/// One that hangs is ended.
ChildResult run(const Application& application, bool bridged) {
    std::vector<std::string> argv{"/usr/bin/timeout", "--kill-after=5", "150"};
    argv.insert(argv.end(), application.argv.begin(), application.argv.end());
    Environment environment = environment_for(bridged, application.environment);
    environment["VK_FENCEBRIDGE_PRESENT"] = "owned";
    environment["VK_FENCEBRIDGE_LOG_LEVEL"] = "debug";
    return run_child(argv, environment);
}

/// Ended by timeout, which says so, or by the signal that it sends in the end.
bool has_hung(const ChildResult& result) {
    return result.exit_status == 124 || result.exit_status == 128 + SIGKILL;
}

/// Of the layer's counters, or, where the application has not ended its device, of its debug log.
unsigned frames_with_a_fence(const Application& application, const std::string& log) {
    unsigned frames = 0;
    const std::regex one(application.ends_device ? R"(fences attached (\d+))"
                                                 : R"(release: write fence on dma-buf (\d+))");
    for (std::sregex_iterator found(log.begin(), log.end(), one), end; found != end; ++found) {
        frames += application.ends_device ? static_cast<unsigned>(std::stoul((*found)[1])) : 1U;
    }
    return frames;
}

class Applications : public testing::TestWithParam<Application> {};
TEST_P(Applications, PresentEveryFrameWithItsFence) {
    const ChildResult on = run(GetParam(), true);
    // Under mutter, Venus' own swapchain was seen to wait for an event that does not come.
    if (compositor_name() == "mutter") {
        const std::vector<int>& endings = GetParam().endings;
        EXPECT_TRUE(std::find(endings.begin(), endings.end(), on.exit_status) != endings.end())
            << on.exit_status << ": " << on.err;
    } else {
        const ChildResult off = run(GetParam(), false);
        EXPECT_EQ(off.err.find("fencebridge"), std::string::npos);
        if (has_hung(off)) {
            // mpv on Venus' own swapchain, now and then: on ours it must not.
            EXPECT_FALSE(has_hung(on)) << on.err;
        } else {
            // Of a program that crashes when it ends, with the driver alone too, that is all to
            // ask.
            EXPECT_EQ(on.exit_status, off.exit_status) << on.err;
        }
    }
    EXPECT_NE(on.err.find("present owned"), std::string::npos) << on.err;
    EXPECT_EQ(on.err.find("fencebridge: warning"), std::string::npos) << on.err;
    EXPECT_EQ(on.err.find("fencebridge: error"), std::string::npos) << on.err;
    const unsigned frames = frames_with_a_fence(GetParam(), on.err);
    EXPECT_GE(frames, GetParam().fewest_frames) << on.err;
    if (GetParam().ends_device) {
        EXPECT_TRUE(
            std::regex_search(on.err, std::regex(R"(releases (\d+) \(fences attached \1,)")))
            << on.err;
    }
    record_value("frames with a fence", frames, "frames", "", true);
}
INSTANTIATE_TEST_SUITE_P(On, Applications, testing::ValuesIn(applications()),
                         [](const auto& parameter) { return parameter.param.name; });

/// The screen with a film on it that stands still.
Screenshot still_film(bool bridged, const Screenshot& empty, const std::string& file) {
    Environment environment = environment_for(bridged);
    environment["VK_FENCEBRIDGE_PRESENT"] = "owned";
    const std::string log = file + ".log";
    const ProcessGroup mpv(
        {{"/usr/bin/mpv", "--no-config", "--really-quiet", "--vo=gpu-next", "--gpu-api=vulkan",
          "--gpu-context=waylandvk", "--gpu-sw=yes", "--ao=null", "--osd-level=0", "--no-osc",
          "--pause", "--geometry=256x192", "av://lavfi:testsrc=size=160x120:rate=10"},
         environment},
        log);
    // Until it is there, all of it, and in the size that the compositor gives it: so many pictures
    // are the same.
    constexpr int same_pictures = 6;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(90);
    Screenshot screen = take_screenshot(file);
    for (int same = 1; same < same_pictures && std::chrono::steady_clock::now() < deadline;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
        Screenshot next = take_screenshot(file);
        same = next.pixels == screen.pixels && next.pixels != empty.pixels ? same + 1 : 1;
        screen = std::move(next);
    }
    EXPECT_FALSE(screen.pixels == empty.pixels) << "nothing was shown: see " << log;
    std::ifstream said(log);
    const std::string all{std::istreambuf_iterator<char>(said), {}};
    EXPECT_EQ(all.find("present owned") != std::string::npos, bridged) << all;
    EXPECT_EQ(all.find("fencebridge: warning"), std::string::npos) << all;
    return screen;
}
TEST(FilmPicture, IsTheDriversOwn) {
    const Screenshot empty = take_screenshot(output_file("-film-none.png"));
    const Screenshot drivers = still_film(false, empty, output_file("-film-native.png"));
    const Screenshot ours = still_film(true, empty, output_file("-film-owned.png"));
    EXPECT_TRUE(drivers.pixels == ours.pixels)
        << "the pictures differ: see " << output_file("-film-*");
}

} // namespace
} // namespace fencebridge::test
