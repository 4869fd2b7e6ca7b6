// What switches the layer on and off. Off means that its library is not even mapped: not one call
// can go through it.
#include "support/child_process.hpp"
#include "support/lesser_driver.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace fencebridge::test {

using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr const char* lavapipe = "/usr/share/vulkan/icd.d/lvp_icd.json";

/// Debian 12's loader, unpacked beside the system's own by ./run (tests/vm/).
constexpr const char* debian_12_loader = "/opt/loaders/bookworm/usr/lib";

/// The folder of the unpacked loader, or none. Its multiarch folder depends on the machine.
std::optional<fs::path> folder_of_debian_12_loader() {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(debian_12_loader, missing)) {
        if (fs::exists(entry.path() / "libvulkan.so.1")) {
            return entry.path();
        }
    }
    return std::nullopt;
}

fs::path only_manifest_in(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") {
            return entry.path();
        }
    }
    return {};
}

/// What the probe has met.
struct Report {
    json data;
    std::string log; ///< the layer's lines on stderr
    bool is_mapped = false;
    bool is_enumerated = false;

    std::string place_of(const char* function) const { return data.at("functions").at(function); }
    bool is_ours(const char* function) const {
        return place_of(function).starts_with(
            fs::path(from_build("FENCEBRIDGE_LIBRARY")).filename().string() + "+");
    }
};

std::vector<std::string> words(const json& list) {
    return list.get<std::vector<std::string>>();
}

} // namespace

enum class Loader : uint8_t { System, Debian12 };

class LoaderSwitches : public testing::TestWithParam<Loader> {
protected:
    void SetUp() override {
        if (!fs::exists(lavapipe)) {
            GTEST_SKIP() << "no lavapipe: " << lavapipe;
        }
        // Found as user's layers are, by a folder of its own: this works with every loader.
        const fs::path layers = folder_.path() / "vulkan";
        fs::create_directories(layers);
        fs::create_directory_symlink(from_build("FENCEBRIDGE_MANIFEST_FOLDER"),
                                     layers / "implicit_layer.d");
        if (GetParam() == Loader::Debian12) {
            const auto found = folder_of_debian_12_loader();
            if (!found) {
                GTEST_SKIP() << "no Debian 12 Vulkan loader in " << debian_12_loader;
            }
            environment_["LD_LIBRARY_PATH"] = found->string();
        }
        environment_["VK_DRIVER_FILES"] = lavapipe;
        environment_["XDG_DATA_HOME"] = folder_.path().string();
        environment_["HOME"] = folder_.path().string();
        // Mesa's own implicit layer is not what is looked at here.
        environment_["NODEVICE_SELECT"] = "1";
        for (const char* unset :
             {"VK_IMPLICIT_LAYER_PATH", "VK_ADD_IMPLICIT_LAYER_PATH", "VK_LAYER_PATH",
              "VK_INSTANCE_LAYERS", "VK_LOADER_LAYERS_ENABLE", "VK_LOADER_LAYERS_DISABLE",
              "ENABLE_FENCEBRIDGE", "DISABLE_FENCEBRIDGE", "VK_FENCEBRIDGE_POLICY",
              "VK_FENCEBRIDGE_PRESENT"}) {
            environment_[unset] = std::nullopt;
        }
    }

    Report probe(const Environment& changes, const std::vector<std::string>& arguments = {}) const {
        Environment environment = environment_;
        for (const auto& [name, value] : changes) {
            environment[name] = value;
        }
        std::vector<std::string> command{from_build("FENCEBRIDGE_LOADER_PROBE")};
        command.insert(command.end(), arguments.begin(), arguments.end());
        const ChildResult child = run_child(command, environment);
        EXPECT_EQ(child.exit_status, 0) << child.err;
        Report report{.data = json::parse(child.out, nullptr, false), .log = child.err};
        if (report.data.is_discarded()) {
            throw std::runtime_error("the probe said nothing: " + child.err);
        }
        const std::string library = fs::path(from_build("FENCEBRIDGE_LIBRARY")).filename();
        const auto mapped = words(report.data.at("mapped"));
        report.is_mapped = std::count(mapped.begin(), mapped.end(), library) != 0;
        const auto layers = words(report.data.at("enumerated_layers"));
        report.is_enumerated =
            std::count(layers.begin(), layers.end(), from_build("FENCEBRIDGE_LAYER")) != 0;
        return report;
    }

    fs::path folder() const { return folder_.path(); }

    static const Environment& enabled() {
        static const Environment on{{"ENABLE_FENCEBRIDGE", "1"}};
        return on;
    }

    /// lavapipe without VK_EXT_headless_surface, and what else the environment is to have.
    Environment without_headless_surfaces(Environment changes) const {
        const DriverWithoutHeadless driver = without_headless(lavapipe, folder_);
        changes.insert(driver.environment.begin(), driver.environment.end());
        changes["VK_DRIVER_FILES"] = driver.manifest.string();
        return changes;
    }

private:
    TemporaryFolder folder_;
    Environment environment_;
};

TEST_P(LoaderSwitches, ProbeRunsWithTheLoaderThatItShould) {
    // Else the other cases would show the same loader twice.
    const auto mapped = words(probe({}).data.at("mapped"));
    const bool is_debian_12 = std::count(mapped.begin(), mapped.end(), "libvulkan.so.1.3.239") != 0;
    EXPECT_EQ(is_debian_12, GetParam() == Loader::Debian12);
}

TEST_P(LoaderSwitches, NothingSetIsOff) {
    const Report report = probe({}, {"share"});
    EXPECT_FALSE(report.is_mapped);
    EXPECT_EQ(report.log, "");
}

TEST_P(LoaderSwitches, EnableVariableIsOn) {
    const Report report = probe(enabled(), {"share"});
    EXPECT_TRUE(report.is_mapped);
    EXPECT_TRUE(report.is_enumerated);
}

TEST_P(LoaderSwitches, EnableVariableMustBeOne) {
    EXPECT_FALSE(probe({{"ENABLE_FENCEBRIDGE", "0"}}).is_mapped);
}

TEST_P(LoaderSwitches, DisableVariableWins) {
    for (const char* value : {"1", "0"}) {
        Environment both = enabled();
        both["DISABLE_FENCEBRIDGE"] = value;
        EXPECT_FALSE(probe(both, {"share"}).is_mapped) << "any value of it disables: " << value;
    }
}

TEST_P(LoaderSwitches, InstanceLayersVariableWithItsNameIsOn) {
    // With Debian 12's loader the variable names explicit layers only: it finds nothing there, says
    // so only with VK_LOADER_DEBUG, and goes on without. There the other switches must do.
    const Environment by_name{{"VK_INSTANCE_LAYERS", from_build("FENCEBRIDGE_LAYER")}};
    EXPECT_EQ(probe(by_name).is_mapped, GetParam() == Loader::System);
    // A name that only begins like ours is not ours.
    EXPECT_FALSE(probe({{"VK_INSTANCE_LAYERS", "VK_LAYER_FENCEBRIDGE"}}).is_mapped);
}

TEST_P(LoaderSwitches, LayersEnableFilterIsOn) {
    EXPECT_TRUE(probe({{"VK_LOADER_LAYERS_ENABLE", "*FENCEBRIDGE*"}}).is_mapped);
    EXPECT_FALSE(probe({{"VK_LOADER_LAYERS_ENABLE", "*SOMETHING_ELSE*"}}).is_mapped);
}

TEST_P(LoaderSwitches, LayersDisableFilterIsOff) {
    Environment both = enabled();
    both["VK_LOADER_LAYERS_DISABLE"] = "*FENCEBRIDGE*";
    EXPECT_FALSE(probe(both, {"share"}).is_mapped);
    both["VK_LOADER_LAYERS_DISABLE"] = "~implicit~";
    EXPECT_FALSE(probe(both, {"share"}).is_mapped);
}

TEST_P(LoaderSwitches, BuildFolderIsFoundByPathVariable) {
    // VK_IMPLICIT_LAYER_PATH is younger than Debian 12's loader: there XDG_DATA_HOME is the way.
    const Report report =
        probe({{"XDG_DATA_HOME", std::nullopt},
               {"VK_IMPLICIT_LAYER_PATH", from_build("FENCEBRIDGE_MANIFEST_FOLDER")},
               {"ENABLE_FENCEBRIDGE", "1"}});
    EXPECT_EQ(report.is_mapped, GetParam() == Loader::System);
    const Report added =
        probe({{"XDG_DATA_HOME", std::nullopt},
               {"VK_ADD_IMPLICIT_LAYER_PATH", from_build("FENCEBRIDGE_MANIFEST_FOLDER")},
               {"ENABLE_FENCEBRIDGE", "1"}});
    EXPECT_EQ(added.is_mapped, GetParam() == Loader::System);
}

TEST_P(LoaderSwitches, ManifestOfTheOtherArchitectureIsPassedOver) {
    const fs::path ours = only_manifest_in(from_build("FENCEBRIDGE_MANIFEST_FOLDER"));
    json manifest = json::parse(std::ifstream(ours));
    json& layer = manifest.at("layer");
    ASSERT_TRUE(layer.at("library_arch") == "64" || layer.at("library_arch") == "32");
    layer["name"] = "VK_LAYER_FENCEBRIDGE_other_implicit_sync";
    layer["library_path"] = (folder() / "none.so").string();
    const fs::path others = folder() / "others";
    fs::create_directories(others / "vulkan/implicit_layer.d");
    Environment both = enabled();
    both["XDG_DATA_DIRS"] = others.string();
    both["VK_LOADER_DEBUG"] = "error,warn";
    for (const bool is_other : {false, true}) {
        if (is_other) {
            layer["library_arch"] = layer.at("library_arch") == "64" ? "32" : "64";
        }
        std::ofstream(others / "vulkan/implicit_layer.d/other.json") << manifest;
        const Report report = probe(both, {"share"});
        EXPECT_TRUE(report.is_mapped);
        EXPECT_EQ(report.log.find("none.so") == std::string::npos, is_other) << report.log;
    }
}

TEST_P(LoaderSwitches, DeviceThatSharesNoMemoryHasTheDriversOwnFunctions) {
    const Report without = probe({});
    const Report with = probe(enabled());
    ASSERT_TRUE(with.is_mapped);
    for (const char* function :
         {"vkQueueSubmit", "vkCmdPipelineBarrier", "vkAllocateMemory", "vkCmdDraw"}) {
        EXPECT_EQ(with.place_of(function), without.place_of(function)) << function;
    }
    EXPECT_TRUE(without.place_of("vkQueueSubmit").starts_with("libvulkan_lvp.so+"));
    EXPECT_EQ(with.log, "") << "an application that shares nothing hears nothing";
}

TEST_P(LoaderSwitches, DeviceThatSharesMemoryIsIntercepted) {
    const Report report = probe(enabled(), {"share"});
    EXPECT_TRUE(report.is_ours("vkQueueSubmit"));
    EXPECT_TRUE(report.is_ours("vkCmdPipelineBarrier"));
    EXPECT_TRUE(report.is_ours("vkAllocateMemory"));
    EXPECT_FALSE(report.is_ours("vkCmdDraw"));
    EXPECT_NE(report.log.find("policy auto, fence source"), std::string::npos) << report.log;
}

TEST_P(LoaderSwitches, PolicyOffLeavesTheDriversOwnFunctions) {
    Environment off = enabled();
    off["VK_FENCEBRIDGE_POLICY"] = "off";
    const Report report = probe(off, {"share"});
    EXPECT_TRUE(report.is_mapped);
    EXPECT_FALSE(report.is_ours("vkQueueSubmit"));
    EXPECT_FALSE(report.is_ours("vkCmdPipelineBarrier"));
}

TEST_P(LoaderSwitches, Vulkan10ApplicationIsServedToo) {
    const Report report = probe(enabled(), {"share", "api10"});
    EXPECT_TRUE(report.is_ours("vkQueueSubmit"));
    EXPECT_NE(report.log.find("fence source"), std::string::npos) << report.log;
    EXPECT_FALSE(probe(enabled(), {"api10"}).is_ours("vkQueueSubmit"));
}

TEST_P(LoaderSwitches, HeadlessSurfacesAreOfferedWhereNoDriverHasThem) {
    const json without = probe(without_headless_surfaces({}), {"headless"}).data.at("headless");
    EXPECT_EQ(without.at("offered"), false);
    EXPECT_EQ(without.at("instance"), -7) << "VK_ERROR_EXTENSION_NOT_PRESENT";
    const Report report = probe(without_headless_surfaces(enabled()), {"headless"});
    const json& with = report.data.at("headless");
    EXPECT_EQ(with.at("offered"), true);
    EXPECT_EQ(with.at("instance"), 0);
    // Whether lavapipe can export dma-bufs is this machine's affair: that it is said, is not.
    if (with.at("supported") == true) {
        EXPECT_NE(with.at("formats"), json::array());
        EXPECT_NE(with.at("modes"), json::array());
    } else {
        EXPECT_EQ(with.at("formats"), json::array());
        EXPECT_NE(report.log.find("headless surfaces are not supported"), std::string::npos)
            << report.log;
    }
}

TEST_P(LoaderSwitches, HeadlessSurfacesOfNobodyAreUnsupported) {
    for (const char* present : {"native", "wait"}) {
        Environment environment = enabled();
        environment["VK_FENCEBRIDGE_PRESENT"] = present;
        const Report report = probe(without_headless_surfaces(environment), {"headless"});
        EXPECT_EQ(report.data.at("headless").at("supported"), false) << present;
        EXPECT_LT(report.data.at("headless").at("capabilities"), 0) << present;
    }
}

TEST_P(LoaderSwitches, HeadlessSurfacesOfADriverStayTheDrivers) {
    const json without = probe({}, {"headless"}).data.at("headless");
    EXPECT_EQ(without.at("supported"), true);
    for (const char* present : {"native", "wait", "auto", "owned"}) {
        Environment environment = enabled();
        environment["VK_FENCEBRIDGE_PRESENT"] = present;
        const Report report = probe(environment, {"headless"});
        EXPECT_TRUE(report.is_mapped);
        EXPECT_EQ(report.data.at("headless"), without) << present;
    }
}

INSTANTIATE_TEST_SUITE_P(Loader, LoaderSwitches, testing::Values(Loader::System, Loader::Debian12),
                         [](const auto& instance) {
                             return instance.param == Loader::System ? "system" : "debian12";
                         });

} // namespace fencebridge::test
