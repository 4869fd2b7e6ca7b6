// What a hand-off costs inside vkQueueSubmit, held against the floor: a program that does by hand
// just what the kernel and the driver need, on the same buffers' like, in the same run. Releases
// and acquires of 1 to 64 dma-bufs in a batch, pending and idle, by each fence source that the
// driver has. Sample by sample in turn, so that the machine's noise meets all alike.
#include "bench/call_counter.hpp"
#include "bench/figures.hpp"
#include "bench/handoff_floor.hpp"
#include "bench/passing_layer.hpp"

#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 120;
/// The first rounds make what is kept: semaphores come back when a later submit is known to be
/// done, and that is asked for now and then.
constexpr int first_rounds = 40;
constexpr std::array<size_t, 4> buffer_counts{1, 4, 16, 64};
constexpr std::chrono::milliseconds work_length{8};
constexpr std::chrono::milliseconds peer_time{20}; ///< longer than any sample
/// After a sample: what its threads still do must not fall into the next one.
constexpr std::chrono::milliseconds calm{2};

/// The empty layer, below ours, counts what reaches the driver.
ContextOptions options_for(Layers layers,
                           std::vector<std::pair<std::string, std::string>> settings) {
    settings.emplace_back("LOG_LEVEL", "warn");
    return {.layers = layers,
            .settings = std::move(settings),
            .environment = {{"VK_INSTANCE_LAYERS", "VK_LAYER_TEST_passing"}},
            // The floor's; ours adds what it needs itself.
            .device_extensions = {VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
                                  VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME}};
}

/// What one sample took, inside the calls that are measured.
struct Cost {
    double us = 0;
    CallCounts calls;
    uint64_t submits = 0;
};

template<typename Body>
Cost measured(Body&& body) {
    const CallCounts calls = call_counts();
    const uint64_t submits = passed_submits();
    const auto start = Clock::now();
    body();
    const std::chrono::duration<double, std::micro> took = Clock::now() - start;
    return {took.count(), call_counts() - calls, passed_submits() - submits};
}

struct Costs {
    Series us;
    Series system_calls;
    Series allocations;
    Series submits;

    void add(const Cost& cost) {
        us.add(cost.us);
        system_calls.add(static_cast<double>(cost.calls.system_calls));
        allocations.add(static_cast<double>(cost.calls.allocations));
        submits.add(static_cast<double>(cost.submits));
    }
};

/// How a comparison is told apart in the figures' names.
struct Case {
    std::string prefix; ///< "handoff/release/fence"
    std::string state;  ///< "pending", "idle"
    size_t buffers = 1;
    Bar over_floor;         ///< of time
    Bar extra_system_calls; ///< more than the floor's; the driver's own are among them
    /// Where it is what the layer does by itself, with work pending: "handoff/release", under which
    /// the figures are told again.
    std::string usual;
};

/// What the layer does beside the floor: `name` ends with a slash.
void report_against_floor(const std::string& name, const Case& what, const Costs& floor,
                          const Costs& layer) {
    report(name + "over_floor", layer.us.median() / floor.us.median(), "ratio", what.over_floor,
           "by sample, " + layer.us.over(floor.us).spread());
    report(name + "extra_submits", layer.submits.median() - floor.submits.median(), "", at_most(0));
    report(name + "allocations", layer.allocations.median() - floor.allocations.median(), "",
           at_most(0));
}

void report_case(const Case& what, const Costs& floor, const Costs& layer) {
    const std::string buffers = "/" + std::to_string(what.buffers) + "/";
    const std::string name = what.prefix + buffers + what.state + "/";
    report(name + "floor_us", floor.us, "us");
    report(name + "layer_us", layer.us, "us");
    report(name + "extra_system_calls", layer.system_calls.median() - floor.system_calls.median(),
           "", what.extra_system_calls);
    report_against_floor(name, what, floor, layer);
    if (!what.usual.empty()) {
        report_against_floor(what.usual + buffers, what, floor, layer);
    }
}

/// A device with as many shared buffers as are ever handed off at once.
struct Side {
    explicit Side(const ContextOptions& options) : context(options), work(context) {
        for (size_t i = 0; i < buffer_counts.back(); ++i) {
            buffers.push_back(std::make_unique<SharedBuffer>(context, Extent{64, 1}));
        }
    }

    /// Work, where there is to be any, and the hand-offs of the first `count` buffers.
    std::unique_ptr<CommandBuffer> record(size_t count, bool is_release, bool has_work) const {
        auto commands = std::make_unique<CommandBuffer>(context);
        commands->begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
        if (has_work) {
            work.record(*commands, work_length);
        }
        for (size_t i = 0; i < count; ++i) {
            if (is_release) {
                commands->release(*buffers[i], VK_QUEUE_FAMILY_FOREIGN_EXT,
                                  VK_ACCESS_TRANSFER_WRITE_BIT);
            } else {
                commands->acquire(*buffers[i], VK_QUEUE_FAMILY_FOREIGN_EXT,
                                  VK_ACCESS_TRANSFER_WRITE_BIT);
            }
        }
        commands->end();
        return commands;
    }

    std::span<const std::unique_ptr<SharedBuffer>> first(size_t count) const {
        return std::span(buffers).first(count);
    }

    VulkanContext context;
    LongWork work;
    std::vector<std::unique_ptr<SharedBuffer>> buffers;
};

/// One sample of each, in either order by turns: what comes second finds the machine otherwise than
/// what comes first. `floor` and the layer's side submit the same commands; `sample(side, submit)`
/// measures one of them.
template<typename Floor, typename Sample>
void compare(const Case& what, Side& by_hand, Side& bridged, Floor& floor,
             const std::array<const CommandBuffer*, 2>& commands, Sample&& sample) {
    Costs floor_costs;
    Costs layer_costs;
    for (int round = -first_rounds; round < rounds; ++round) {
        for (const bool is_first : {true, false}) {
            const bool is_floor = is_first == (round % 2 == 0);
            const Cost cost =
                is_floor ? sample(by_hand,
                                  [&] { floor.submit(*commands[0], by_hand.first(what.buffers)); })
                         : sample(bridged, [&] {
                               FB_VK(submit(bridged.context.queue, *commands[1], VK_NULL_HANDLE));
                           });
            FB_VK(vkQueueWaitIdle((is_floor ? by_hand : bridged).context.queue));
            std::this_thread::sleep_for(calm);
            if (round >= 0) {
                (is_floor ? floor_costs : layer_costs).add(cost);
            }
        }
    }
    report_case(what, floor_costs, layer_costs);
}

void compare_releases(const Case& what, Side& by_hand, Side& bridged, ReleaseFloor& floor,
                      bool has_work) {
    const auto theirs = by_hand.record(what.buffers, true, has_work);
    const auto ours = bridged.record(what.buffers, true, has_work);
    compare(what, by_hand, bridged, floor, {theirs.get(), ours.get()},
            [](const Side& /*side*/, auto&& body) { return measured(body); });
}

void compare_acquires(const Case& what, Side& by_hand, Side& bridged, AcquireFloor& floor,
                      bool is_pending) {
    const auto theirs = by_hand.record(what.buffers, false, false);
    const auto ours = bridged.record(what.buffers, false, false);
    compare(what, by_hand, bridged, floor, {theirs.get(), ours.get()},
            [&](const Side& side, auto&& body) {
                std::unique_ptr<PeerFence> peer;
                if (is_pending) {
                    peer = std::make_unique<PeerFence>(side.first(what.buffers), peer_time);
                }
                return measured(body);
            });
}

void releases_by(Source source, bool is_guarded) {
    Side by_hand(options_for(Layers::None, {}));
    Side bridged(options_for(
        Layers::Bridge, {{"FENCE_SOURCE", name(source)}, {"GUARD", is_guarded ? "on" : "off"}}));
    const std::unique_ptr<ReleaseFloor> floor = release_floor(source, is_guarded, by_hand.context);
    if (floor == nullptr) {
        return;
    }
    const bool is_lavapipe = by_hand.context.driver == VK_DRIVER_ID_MESA_LLVMPIPE;
    const bool is_usual = !is_guarded && source == (is_lavapipe ? Source::Proxy : Source::Fence);
    // A source that blocks until the work is done costs that, on the floor as in the layer.
    for (const size_t buffers : buffer_counts) {
        for (const bool has_work : {true, false}) {
            compare_releases(
                {.prefix = "handoff/release/" + name(source) + (is_guarded ? "_guarded" : ""),
                 .state = has_work ? "pending" : "idle",
                 .buffers = buffers,
                 .over_floor = buffers == 1 ? at_most(1.25) : Bar{},
                 .extra_system_calls = has_work ? at_most(0) : Bar{},
                 .usual = is_usual && has_work ? "handoff/release" : ""},
                by_hand, bridged, *floor, has_work);
        }
    }
}

void acquires() {
    Side by_hand(options_for(Layers::None, {}));
    Side bridged(options_for(Layers::Bridge, {}));
    AcquireFloor floor(by_hand.context);
    for (const size_t buffers : buffer_counts) {
        for (const bool is_pending : {false, true}) {
            // Venus waits in vkQueueSubmit for what it has imported, with and without us: there the
            // peer's time is a part of both.
            compare_acquires({.prefix = "handoff/acquire",
                              .state = is_pending ? "pending" : "idle",
                              .buffers = buffers,
                              .over_floor = is_pending ? at_most(1.25) : Bar{},
                              .extra_system_calls = at_most(0),
                              .usual = is_pending ? "handoff/acquire" : ""},
                             by_hand, bridged, floor, is_pending);
        }
    }
}

} // namespace

int main() {
    for (const Source source : {Source::Fence, Source::Semaphore, Source::Proxy, Source::Wait}) {
        releases_by(source, false);
    }
    releases_by(Source::Fence, true);
    releases_by(Source::Proxy, true);
    acquires();
    return EXIT_SUCCESS;
}
