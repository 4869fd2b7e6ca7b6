// The manifests: of the build folder, and the one that is installed.
#include "support/child_process.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace fencebridge::test {

using nlohmann::json;
namespace fs = std::filesystem;

class Manifest : public testing::Test {
protected:
    static json read(const fs::path& path) {
        std::ifstream file(path);
        return json::parse(file).at("layer");
    }
    const fs::path built_path = from_build("FENCEBRIDGE_MANIFEST");
    const json built = read(built_path);
    const json installed = read(built_path.string() + ".installed");
};

TEST_F(Manifest, IsWhatTheLoaderAsksForOfAnImplicitLayer) {
    for (const json& layer : {built, installed}) {
        EXPECT_EQ(layer.at("name"), from_build("FENCEBRIDGE_LAYER"));
        EXPECT_EQ(layer.at("type"), "GLOBAL");
        EXPECT_TRUE(layer.at("api_version").get<std::string>().starts_with("1."));
        // Off unless asked for; and a manifest without the second is skipped by the loader.
        EXPECT_EQ(layer.at("enable_environment"), (json{{"ENABLE_FENCEBRIDGE", "1"}}));
        EXPECT_EQ(layer.at("disable_environment"), (json{{"DISABLE_FENCEBRIDGE", "1"}}));
    }
}

TEST_F(Manifest, OffersTheExtensionsThatTheLayerHasItself) {
    for (const json& layer : {built, installed}) {
        std::set<std::string> names;
        for (const json& extension : layer.at("instance_extensions")) {
            names.insert(extension.at("name"));
        }
        EXPECT_EQ(names,
                  (std::set<std::string>{"VK_EXT_headless_surface", "VK_EXT_layer_settings"}));
    }
}

TEST_F(Manifest, NeitherArchitecturesNameIsAPrefixOfTheOther) {
    const std::string name_64 = "VK_LAYER_FENCEBRIDGE_implicit_sync";
    const std::string name_32 = "VK_LAYER_FENCEBRIDGE_32_implicit_sync";
    EXPECT_EQ(built.at("name"), sizeof(void*) == 8 ? name_64 : name_32);
    EXPECT_FALSE(name_32.starts_with(name_64));
    EXPECT_FALSE(name_64.starts_with(name_32));
}

TEST_F(Manifest, BuiltOneNamesTheBuiltLibrary) {
    const fs::path library = built.at("library_path").get<std::string>();
    EXPECT_TRUE(library.is_relative()) << "a build folder may be moved or mounted elsewhere";
    const fs::path found = built_path.parent_path() / library;
    ASSERT_TRUE(fs::exists(found)) << found;
    EXPECT_TRUE(fs::equivalent(found, from_build("FENCEBRIDGE_LIBRARY")));
}

TEST_F(Manifest, InstalledOneNamesTheInstalledLibraryAbsolutely) {
    const fs::path library = installed.at("library_path").get<std::string>();
    EXPECT_TRUE(library.is_absolute());
    EXPECT_EQ(library, from_build("FENCEBRIDGE_INSTALL_LIBRARY"));
}

TEST_F(Manifest, TheTwoDifferInNothingElse) {
    json a = built;
    json b = installed;
    a.erase("library_path");
    b.erase("library_path");
    EXPECT_EQ(a, b);
}

TEST_F(Manifest, SettingsSayHowTheyAreSet) {
    std::set<std::string> keys;
    for (const json& setting : built.at("features").at("settings")) {
        const std::string key = setting.at("key");
        keys.insert(key);
        std::string variable = "VK_FENCEBRIDGE_" + key;
        std::transform(variable.begin(), variable.end(), variable.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        EXPECT_EQ(setting.at("env"), variable);
        EXPECT_FALSE(setting.at("description").get<std::string>().empty());
        if (setting.at("type") == "ENUM") {
            bool has_default = false;
            for (const json& flag : setting.at("flags")) {
                has_default |= flag.at("key") == setting.at("default");
            }
            EXPECT_TRUE(has_default) << key;
        }
    }
    EXPECT_EQ(keys, (std::set<std::string>{"policy", "fence_source", "acquire", "guard", "present",
                                           "explicit_sync", "check", "acquire_timeout_ms",
                                           "log_level", "trace"}));
}

} // namespace fencebridge::test
