// Whole frames, from a producer to a consumer in another process: frames a second, the time from
// the submit to the consumer's read, and how many of the frames that it read were stale. With the
// attached fence, with the wait on the CPU that applications use today, and with no synchronisation
// at all; for a producer that waits for the GPU, and for one that is busy itself.
#include "apps/pair.hpp"
#include "bench/figures.hpp"

#include <array>
#include <cstdlib>
#include <string>

namespace {

using namespace fencebridge::test;

constexpr uint32_t frames = 20;
constexpr int rounds = 3;

struct Way {
    const char* name;
    bool is_bridged;
    Environment environment;
};

struct Load {
    const char* name;
    uint32_t work_ms;
    uint32_t cpu_ms;
};

struct Seen {
    Series frames_per_second;
    Series latency_ms;
    Series submit_blocked_us;
    Series stale;
};

bool measure(const Load& load) {
    const std::array<Way, 3> ways{{
        {"attached", true, {}},
        {"cpu_wait", true, {{"VK_FENCEBRIDGE_FENCE_SOURCE", "wait"}}},
        {"none", false, {}},
    }};
    std::array<Seen, ways.size()> seen;
    for (int round = 0; round < rounds; ++round) {
        for (size_t i = 0; i < ways.size(); ++i) {
            const auto result = run_pair({.frames = frames,
                                          .work_ms = load.work_ms,
                                          .cpu_ms = load.cpu_ms,
                                          .bridged = ways.at(i).is_bridged,
                                          .environment = ways.at(i).environment});
            if (!result) {
                return false;
            }
            seen.at(i).frames_per_second.add(result->frames_per_second);
            seen.at(i).latency_ms.add(result->latency_ms);
            seen.at(i).submit_blocked_us.add(result->submit_blocked_us);
            seen.at(i).stale.add(result->stale);
        }
    }
    const std::string prefix = std::string("frames/") + load.name + "/";
    for (size_t i = 0; i < ways.size(); ++i) {
        const std::string name = prefix + ways.at(i).name + "/";
        report(name + "frames_per_second", seen.at(i).frames_per_second, "1/s");
        report(name + "latency_ms", seen.at(i).latency_ms, "ms");
        report(name + "submit_blocked_us", seen.at(i).submit_blocked_us, "us");
        // Without synchronisation they are stale: that is what it is for.
        report(name + "stale", seen.at(i).stale, "of " + std::to_string(frames),
               ways.at(i).is_bridged ? at_most(0) : Bar{});
    }
    report(prefix + "attached_over_cpu_wait",
           seen[0].frames_per_second.median() / seen[1].frames_per_second.median(), "ratio",
           at_least(1), "frames per second");
    report(prefix + "blocked_cpu_wait_over_attached",
           seen[1].submit_blocked_us.median() / seen[0].submit_blocked_us.median(), "ratio");
    return true;
}

} // namespace

int main() {
    const bool all = measure({.name = "gpu_bound", .work_ms = 30, .cpu_ms = 0}) &&
                     measure({.name = "cpu_bound", .work_ms = 4, .cpu_ms = 15});
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
