// The demo: the same producer and consumer with the layer off and on, as a table and a picture.
#include "apps/pair.hpp"
#include "apps/picture.hpp"
#include "support/results.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace {

using namespace fencebridge::test;

double share(uint32_t part, uint32_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / whole;
}

void print_row(const char* layer, const PairResult& result) {
    std::printf("%-5s %8u %8u %18.1f %% %16.0f us %16.0f us %10.1f\n", layer, result.frames,
                result.stale, share(result.pending, result.frames) * 100, result.submit_blocked_us,
                result.submit_blocked_max_us, result.frames_per_second);
}

/// Writes the rows under their fixed names. The off row has to show stale frames, or the on row
/// proves nothing.
bool record(const PairResult& off, const PairResult& on) {
    const bool off_is_stale = off.stale > 0;
    const bool on_is_right = on.stale == 0 && on.timeouts == 0 && on.frames == off.frames;
    record_value("off/frames", off.frames, "frames", "", true, "");
    record_value("off/stale", off.stale, "frames", "> 0", off_is_stale,
                 "without the layer the consumer must see old pixels");
    record_value("off/pending_share", share(off.pending, off.frames), "share", "", true, "");
    record_value("on/frames", on.frames, "frames", "", true, "");
    record_value("on/stale", on.stale, "frames", "= 0", on_is_right, "");
    record_value("on/pending_share", share(on.pending, on.frames), "share", "", true, "");
    record_value("on/submit_blocked_us", on.submit_blocked_us, "us", "", true,
                 "median; off: " + std::to_string(off.submit_blocked_us));
    return off_is_stale && on_is_right;
}

} // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Shows what a consumer sees of a producer's dma-bufs, without the layer and with it");
    uint32_t frames = 1000;
    // Longer than a consumer on a busy machine waits for a processor, or its look comes too late.
    uint32_t work_ms = 33;
    const char* const job = std::getenv("FENCEBRIDGE_JOB");
    std::filesystem::path out = job != nullptr ? std::filesystem::path(job) / "out" : ".";
    app.add_option("--frames", frames, "Frames in each of the two runs")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    app.add_option("--work-ms", work_ms, "GPU work in each frame, in milliseconds")
        ->check(CLI::Range(1, 5000))
        ->capture_default_str();
    app.add_option("--out", out, "Folder for demo.png")->capture_default_str();
    CLI11_PARSE(app, argc, argv);

    std::error_code error;
    std::filesystem::create_directories(out, error);
    std::printf("%u frames with the layer off ...\n", frames);
    std::fflush(stdout);
    const auto off = run_pair({.frames = frames, .work_ms = work_ms});
    std::printf("%u frames with the layer on ...\n", frames);
    std::fflush(stdout);
    const auto on = run_pair({.frames = frames, .work_ms = work_ms, .bridged = true});
    if (!off || !on) {
        return EXIT_FAILURE;
    }
    std::printf("\n%s\n%s\n", on->device.c_str(), on->log.c_str());
    std::printf("%-5s %8s %8s %20s %19s %19s %10s\n", "layer", "frames", "stale",
                "pending at hand-off", "submit, median", "submit, longest", "frames/s");
    print_row("off", *off);
    print_row("on", *on);
    const bool has_picture = write_picture(out / "demo.png", *off, *on);
    if (has_picture) {
        std::printf("\nwhat the consumer saw: %s\n", (out / "demo.png").c_str());
    }
    return record(*off, *on) && has_picture ? EXIT_SUCCESS : EXIT_FAILURE;
}
