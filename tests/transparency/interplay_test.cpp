// Ours above and below the layers that people run beside it: the same application among them sees
// the same, and what it hands off is bridged.
#include "support/child_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace fencebridge::test {

namespace {

constexpr const char* ours = "VK_LAYER_FENCEBRIDGE_implicit_sync";

struct Other {
    const char* name; ///< of the case
    std::string layer;
    std::string library;     ///< part of its path
    bool is_first = true;    ///< it has a function of its own where the application looks
    Environment environment; ///< that it needs
};

struct LayeredRun {
    int exit_status = 0;
    std::string err;
    std::vector<std::string> lines;

    std::vector<std::string> all(const std::string& name) const {
        std::vector<std::string> values;
        for (const std::string& line : lines) {
            if (line.starts_with(name + ": ")) {
                values.push_back(line.substr(name.size() + 2));
            }
        }
        return values;
    }
    bool has_mapped(const std::string& library) const {
        const auto mapped = all("mapped");
        return std::ranges::find(mapped, library) != mapped.end();
    }
    std::string first() const { return all("first").empty() ? "" : all("first").front(); }
};

/// Topmost first. On a machine without dma-bufs memfds stand in for them, below all.
LayeredRun run_among(const std::vector<std::string>& layers, const Environment& more = {}) {
    std::string list;
    for (const std::string& layer : layers) {
        list += (list.empty() ? "" : ":") + layer;
    }
    if (const char* const stand_in = std::getenv("FENCEBRIDGE_STAND_IN")) {
        list += (list.empty() ? "" : ":") + std::string(stand_in);
    }
    Environment environment = more;
    environment["ENABLE_FENCEBRIDGE"] = std::nullopt;
    environment["VK_INSTANCE_LAYERS"] = list;
    const ChildResult child = run_child({program("transparency/layered-application")}, environment);
    LayeredRun run{.exit_status = child.exit_status, .err = child.err, .lines = {}};
    std::istringstream stream(child.out);
    for (std::string line; std::getline(stream, line);) {
        run.lines.push_back(line);
    }
    return run;
}

/// The application alone: it shows old content, for nobody bridges.
const LayeredRun& run_alone() {
    static const LayeredRun run = run_among({});
    return run;
}

void expect_bridged(const LayeredRun& run, const LayeredRun& without) {
    EXPECT_EQ(run.exit_status, 0) << run.err;
    EXPECT_TRUE(run.has_mapped("VkLayer_FENCEBRIDGE")) << run.err;
    EXPECT_EQ(run.all("seen"), without.all("seen")) << run.err;
    EXPECT_EQ(run.all("handed off"), std::vector<std::string>{"good"}) << run.err;
}

void PrintTo(const Other& other, std::ostream* stream) {
    *stream << other.layer;
}

} // namespace

TEST(Alone, ShowsOldContent) {
    ASSERT_EQ(run_alone().exit_status, 0) << run_alone().err;
    EXPECT_EQ(run_alone().all("handed off"), std::vector<std::string>{"stale"});
    EXPECT_FALSE(run_alone().has_mapped("VkLayer_FENCEBRIDGE"));
}

TEST(Alone, IsBridgedByOurs) {
    expect_bridged(run_among({ours}), run_alone());
}

class Among : public testing::TestWithParam<Other> {
protected:
    /// How it is without ours, which must be good for the rest to mean anything.
    void SetUp() override {
        ASSERT_EQ(run_alone().exit_status, 0) << run_alone().err;
        static std::map<std::string, LayeredRun> runs;
        if (!runs.contains(GetParam().layer)) {
            runs[GetParam().layer] = run_among({GetParam().layer}, GetParam().environment);
        }
        without_ = runs.at(GetParam().layer);
        if (without_.exit_status >= 128) {
            GTEST_SKIP() << GetParam().library << " dies on this machine without ours as well";
        }
        if (!without_.has_mapped(GetParam().library)) {
            GTEST_SKIP() << "this machine lacks the layer " << GetParam().library;
        }
        ASSERT_EQ(without_.exit_status, 0) << without_.err;
        ASSERT_EQ(without_.all("handed off"), std::vector<std::string>{"stale"});
    }
    LayeredRun without_;
};

TEST_P(Among, OursBelow) {
    const LayeredRun run = run_among({GetParam().layer, ours}, GetParam().environment);
    expect_bridged(run, without_);
    EXPECT_TRUE(run.has_mapped(GetParam().library));
    // Both orders would else be one.
    if (GetParam().is_first) {
        EXPECT_NE(run.first().find(GetParam().library), std::string::npos) << run.first();
    }
}

TEST_P(Among, OursAbove) {
    const LayeredRun run = run_among({ours, GetParam().layer}, GetParam().environment);
    expect_bridged(run, without_);
    EXPECT_TRUE(run.has_mapped(GetParam().library));
    EXPECT_NE(run.first().find("VkLayer_FENCEBRIDGE"), std::string::npos) << run.first();
}

INSTANTIATE_TEST_SUITE_P(
    Others, Among,
    testing::Values(Other{.name = "Validation",
                          .layer = "VK_LAYER_KHRONOS_validation",
                          .library = "VkLayer_khronos_validation",
                          .environment = {}},
                    Other{.name = "MesaOverlay",
                          .layer = "VK_LAYER_MESA_overlay",
                          .library = "VkLayer_MESA_overlay",
                          .environment = {{"VK_LAYER_MESA_OVERLAY_CONFIG", "no_display"}}},
                    Other{.name = "MesaDeviceSelect",
                          .layer = "VK_LAYER_MESA_device_select",
                          .library = "VkLayer_MESA_device_select",
                          .is_first = false,
                          .environment = {{"NODEVICE_SELECT", std::nullopt}}},
                    Other{.name = "MangoHud",
                          .layer = "VK_LAYER_MANGOHUD_overlay_x86_64",
                          .library = "MangoHud",
                          .environment = {{"MANGOHUD", "1"}, {"MANGOHUD_CONFIG", "no_display"}}},
                    Other{.name = "VkBasalt",
                          .layer = "VK_LAYER_VKBASALT_post_processing",
                          .library = "vkbasalt",
                          .environment = {{"ENABLE_VKBASALT", "1"}}}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

/// Two layers with structures of their own, ours between them.
TEST(Adding, WhatOtherLayersAddComesThrough) {
    const std::vector<std::string> around{"VK_LAYER_TEST_adding_above",
                                          "VK_LAYER_TEST_adding_below"};
    const LayeredRun without = run_among(around);
    ASSERT_EQ(without.exit_status, 0) << without.err;
    const LayeredRun run = run_among({around[0], ours, around[1]});
    expect_bridged(run, without);
    EXPECT_GE(std::stoi("0" + run.all("marks added").at(0)), 5);
    EXPECT_EQ(run.all("marks arrived"), run.all("marks added"));
}

/// The twin: without the upper one nothing arrives, and the lower one says so.
TEST(Adding, WhatDoesNotComeThroughIsMissed) {
    const LayeredRun run = run_among({"VK_LAYER_TEST_adding_below"});
    EXPECT_EQ(run.all("marks arrived"), std::vector<std::string>{"0"});
}

} // namespace fencebridge::test
