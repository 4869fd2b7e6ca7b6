// What the layer, and others beside it, add to calls of an application that hands nothing off: one
// that shares no memory, and one that shares some but not in these calls. On this machine's CPU at
// its full speed, with lavapipe; where the machine has no dma-bufs, memfds stand in for them
// (memfd_layer.cpp). Sample by sample in turn, so that the machine's noise meets all alike.
//
//   bench-passthrough                         times
//   bench-passthrough --instructions FOLDER   counts, under valgrind --tool=callgrind, whose files
//                                             go to FOLDER
#include "bench/callgrind.hpp"
#include "bench/figures.hpp"
#include "bench/layer_sets.hpp"
#include "bench/passthrough_calls.hpp"
#include "entry/entry_points.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <map>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 300;
constexpr uint32_t counted_calls = 400; ///< at most, under callgrind

struct Contestant {
    std::string name;
    LayerSet set;
    bool is_sharing;
    std::unique_ptr<Caller> caller;
    std::map<std::string, Series> ns; ///< by call
};

ContextOptions options_for(bool is_sharing) {
    ContextOptions options = with_headless_swapchain({.shares_memory = is_sharing});
    options.settings = {{"LOG_LEVEL", "warn"}};
    return options;
}

/// Each layer under an application that shares nothing; then none and ours under one that does.
std::vector<Contestant> contestants() {
    std::vector<Contestant> all;
    for (const LayerSet& set : all_layer_sets()) {
        if (works_here(set)) {
            all.push_back({set.name, set, false, {}, {}});
        }
    }
    for (LayerSet set : all_layer_sets()) {
        if (set.name == "none" || set.name == "fencebridge") {
            set.environment.emplace_back("VK_INSTANCE_LAYERS", "VK_LAYER_TEST_memfd");
            all.push_back({set.name + "_sharing", set, true, {}, {}});
        }
    }
    for (Contestant& one : all) {
        one.caller = std::make_unique<Caller>(
            std::make_unique<VulkanContext>(with_layers(one.set, options_for(one.is_sharing))),
            one.is_sharing);
    }
    return all;
}

Contestant& named(std::vector<Contestant>& all, const std::string& name) {
    for (Contestant& one : all) {
        if (one.name == name) {
            return one;
        }
    }
    std::fprintf(stderr, "no contestant %s\n", name.c_str());
    std::abort();
}

/// Whom a contestant is held against.
std::string base_of(const Contestant& one) {
    return one.is_sharing ? "none_sharing" : "none";
}

void time_calls(std::vector<Contestant>& all) {
    for (const MeasuredCall& call : measured_calls()) {
        for (int round = 0; round < rounds; ++round) {
            for (Contestant& one : all) {
                one.ns[call.name].add(ns_of(call, *one.caller));
            }
        }
    }
}

void report_times(std::vector<Contestant>& all) {
    for (const MeasuredCall& call : measured_calls()) {
        const std::string prefix = "passthrough/" + call.name + "/";
        report(prefix + "none/ns", named(all, "none").ns[call.name], "ns");
        for (Contestant& one : all) {
            if (one.name == base_of(one)) {
                continue;
            }
            const Series added = one.ns[call.name].minus(named(all, base_of(one)).ns[call.name]);
            const bool is_submit = call.name.find("vkQueueSubmit") == 0;
            if (one.name == "fencebridge") {
                report(prefix + "added_ns", added, "ns");
            } else if (one.name == "fencebridge_sharing") {
                report(prefix + "sharing/added_ns", added, "ns", is_submit ? at_most(60) : Bar{});
            } else {
                report(prefix + one.name + "/added_ns", added, "ns");
            }
        }
        if (call.name == "vkQueueSubmit" || call.name == "vkQueueSubmit2") {
            report(prefix + "over_empty_layer_ns",
                   named(all, "fencebridge").ns[call.name].minus(named(all, "empty").ns[call.name]),
                   "ns", at_most(5));
        }
    }
}

/// How many of the commands that the layer knows at all have a function of ours in front of the
/// driver's on a device that shares nothing. This is what "adds nothing" means; the counts show it
/// only as well as the driver's own are alike.
void report_intercepted(std::vector<Contestant>& all) {
#define NAME(name) "vk" #name,
    constexpr std::array known = {FENCEBRIDGE_SHARING_FUNCTIONS(NAME)
                                      FENCEBRIDGE_TOUCHING_FUNCTIONS(NAME)};
#undef NAME
    const VkDevice device = named(all, "fencebridge").caller->context->device;
    const auto intercepted = std::ranges::count_if(known, [&](const char* name) {
        Dl_info library{};
        const auto function = reinterpret_cast<void*>(vkGetDeviceProcAddr(device, name));
        return function != nullptr && ::dladdr(function, &library) != 0 &&
               std::strstr(library.dli_fname, "FENCEBRIDGE") != nullptr;
    });
    report("passthrough/intercepted", static_cast<double>(intercepted), "", at_most(0),
           "of the " + std::to_string(known.size()) + " functions of devices that share memory");
}

/// Instance and device are made from nothing for each sample.
void time_creation(const std::vector<LayerSet>& sets) {
    std::map<std::string, Series> ms;
    for (int round = 0; round < 21; ++round) {
        for (const LayerSet& set : sets) {
            const auto start = Clock::now();
            const VulkanContext context(with_layers(set, options_for(false)));
            const std::chrono::duration<double, std::milli> took = Clock::now() - start;
            ms[set.name].add(took.count());
        }
    }
    report("passthrough/creation/none/ms", ms["none"], "ms");
    for (const auto& [name, series] : ms) {
        if (name != "none") {
            const bool is_ours = name == "fencebridge";
            report("passthrough/creation/" + (is_ours ? "" : name + "/") + "added_ms",
                   series.minus(ms["none"]), "ms", is_ours ? at_most(2) : Bar{});
        }
    }
}

/// Several times each: the least is told, for now and then a driver's own lists grow.
void count_instructions(std::vector<Contestant>& all) {
    for (const MeasuredCall& call : measured_calls()) {
        const uint32_t count = std::min(call.count, counted_calls);
        for (Contestant& one : all) {
            for (int i = 0; i < 6; ++i) {
                call.before(*one.caller, count);
                count_from_here();
                call.run(*one.caller, count);
                counted(call.name + "/" + one.name);
                call.after(*one.caller, count);
            }
        }
    }
}

void report_instructions(const std::filesystem::path& folder, std::vector<Contestant>& all) {
    const std::map<std::string, double> counts = counts_in(folder);
    for (const MeasuredCall& call : measured_calls()) {
        const double number = std::min(call.count, counted_calls);
        const std::string prefix = "passthrough/" + call.name + "/";
        const auto of = [&](const std::string& name) {
            return counts.at(call.name + "/" + name) / number;
        };
        report(prefix + "none/instructions", of("none"), "");
        for (const Contestant& one : all) {
            if (one.name == base_of(one)) {
                continue;
            }
            const double added = of(one.name) - of(base_of(one));
            const bool is_recording = call.name.find("vkCmd") == 0;
            if (one.name == "fencebridge") {
                report(prefix + "added_instructions", added, "", is_recording ? at_most(1) : Bar{});
            } else if (one.name == "fencebridge_sharing") {
                report(prefix + "sharing/added_instructions", added, "");
            } else {
                report(prefix + one.name + "/added_instructions", added, "");
            }
        }
        if (call.name == "vkQueueSubmit" || call.name == "vkQueueSubmit2") {
            report(prefix + "over_empty_layer_instructions", of("fencebridge") - of("empty"), "",
                   at_most(30));
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--instructions") == 0) {
        std::vector<Contestant> all = contestants();
        count_instructions(all);
        report_instructions(argv[2], all);
        return EXIT_SUCCESS;
    }
    std::vector<Contestant> all = contestants();
    time_calls(all);
    report_times(all);
    report_intercepted(all);
    std::vector<LayerSet> sets;
    for (const Contestant& one : all) {
        if (!one.is_sharing) {
            sets.push_back(one.set);
        }
    }
    all.clear();
    time_creation(sets);
    return EXIT_SUCCESS;
}
