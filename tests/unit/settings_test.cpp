// Where settings come from, and what becomes of values that mean nothing.
#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace fencebridge::test {

using nlohmann::json;

namespace {

const json defaults{{"policy", "auto"}, {"fence_source", "auto"},     {"acquire", "auto"},
                    {"guard", 0},       {"present", "auto"},          {"explicit_sync", 1},
                    {"check", 0},       {"acquire_timeout_ms", 5000}, {"log_level", 3},
                    {"trace", ""}};

json defaults_but(const json& changes) {
    json settings = defaults;
    settings.update(changes);
    return settings;
}

} // namespace

class Settings : public testing::Test {
protected:
    /// The settings that a process with this environment and these API settings gets. Whatever else
    /// there is on this machine does not reach it.
    json read(Environment environment, const std::vector<std::string>& api = {}) {
        environment.try_emplace("HOME", folder.path().string());
        environment.try_emplace("XDG_CONFIG_HOME", std::nullopt);
        environment.try_emplace("XDG_DATA_HOME", std::nullopt);
        std::vector<std::string> command{probe_};
        command.insert(command.end(), api.begin(), api.end());
        const ChildResult child = run_child(command, environment);
        EXPECT_EQ(child.exit_status, 0) << child.err;
        log = child.err;
        return json::parse(child.out, nullptr, false);
    }

    TemporaryFolder folder;
    std::string log;

private:
    const std::string probe_ = from_build("FENCEBRIDGE_SETTINGS_PROBE");
};

TEST_F(Settings, DefaultsHoldWhereNothingIsSaid) {
    EXPECT_EQ(read({}), defaults);
    EXPECT_EQ(log, "");
}

TEST_F(Settings, EnvironmentNamesEachOfThem) {
    EXPECT_EQ(read({{"VK_FENCEBRIDGE_POLICY", "off"},
                    {"VK_FENCEBRIDGE_FENCE_SOURCE", "fence"},
                    {"VK_FENCEBRIDGE_ACQUIRE", "poll"},
                    {"VK_FENCEBRIDGE_GUARD", "off"},
                    {"VK_FENCEBRIDGE_CHECK", "on"},
                    {"VK_FENCEBRIDGE_PRESENT", "owned"},
                    {"VK_FENCEBRIDGE_EXPLICIT_SYNC", "off"},
                    {"VK_FENCEBRIDGE_ACQUIRE_TIMEOUT_MS", "250"},
                    {"VK_FENCEBRIDGE_LOG_LEVEL", "debug"},
                    {"VK_FENCEBRIDGE_TRACE", "/tmp/trace %p"}}),
              (json{{"policy", "off"},
                    {"fence_source", "fence"},
                    {"acquire", "poll"},
                    {"guard", 2},
                    {"present", "owned"},
                    {"explicit_sync", 0},
                    {"check", 1},
                    {"acquire_timeout_ms", 250},
                    {"log_level", 4},
                    {"trace", "/tmp/trace %p"}}));
}

TEST_F(Settings, APathIsOneValue) {
    // The settings library splits values at commas and colons: half a path is worse than none.
    for (const char* path : {"/tmp/a,b", "/tmp/a:b"}) {
        EXPECT_EQ(read({{"VK_FENCEBRIDGE_TRACE", path}}), defaults) << path;
        EXPECT_NE(log.find("comma or a colon"), std::string::npos) << path << ": " << log;
    }
    EXPECT_EQ(read({{"VK_FENCEBRIDGE_TRACE", ""}}), defaults);
    EXPECT_EQ(log, "");
    EXPECT_EQ(read({}, {"trace=/tmp/a,b"}), defaults_but({{"trace", "/tmp/a,b"}}));
}

TEST_F(Settings, EveryWordOfTheManifestIsUnderstood) {
    const std::map<std::string, std::vector<std::string>> words{
        {"POLICY", {"auto", "transfers", "touch", "always", "off"}},
        {"FENCE_SOURCE", {"auto", "semaphore", "fence", "proxy", "wait"}},
        {"ACQUIRE", {"auto", "import", "thread", "poll"}},
        {"GUARD", {"auto", "on", "off"}},
        {"PRESENT", {"auto", "native", "owned", "wait"}},
        {"EXPLICIT_SYNC", {"auto", "off"}},
        {"CHECK", {"on", "off"}},
        {"LOG_LEVEL", {"off", "error", "warn", "info", "debug"}},
    };
    for (const auto& [name, values] : words) {
        for (const std::string& value : values) {
            (void)read({{"VK_FENCEBRIDGE_" + name, value}});
            EXPECT_EQ(log, "") << name << "=" << value;
        }
    }
}

TEST_F(Settings, ApplicationSetsThemInItsCreateInfo) {
    EXPECT_EQ(read({}, {"fence_source=wait", "policy=off"}),
              defaults_but({{"fence_source", "wait"}, {"policy", "off"}}));
}

TEST_F(Settings, ApplicationMayGiveANumberAsANumber) {
    EXPECT_EQ(read({}, {"acquire_timeout_ms:250"}), defaults_but({{"acquire_timeout_ms", 250}}));
    EXPECT_EQ(read({}, {"acquire_timeout_ms=250"}), defaults_but({{"acquire_timeout_ms", 250}}));
}

TEST_F(Settings, PersonAtTheMachineHasTheLastWord) {
    // Vulkan-Utility-Libraries' order: the environment is over what the application says.
    EXPECT_EQ(read({{"VK_FENCEBRIDGE_FENCE_SOURCE", "fence"}}, {"fence_source=wait"}),
              defaults_but({{"fence_source", "fence"}}));
}

TEST_F(Settings, FileIsReadWhereThePathVariablePoints) {
    const std::string file = folder.write("vk_layer_settings.txt",
                                          "# A comment.\n"
                                          "fencebridge_implicit_sync.fence_source = semaphore\n"
                                          "fencebridge_implicit_sync.acquire_timeout_ms = 77\n");
    const json expected = defaults_but({{"fence_source", "semaphore"}, {"acquire_timeout_ms", 77}});
    EXPECT_EQ(read({{"VK_LAYER_SETTINGS_PATH", file}}), expected);
    EXPECT_EQ(read({{"VK_LAYER_SETTINGS_PATH", folder.path().string()}}), expected);
}

TEST_F(Settings, EnvironmentIsOverTheFile) {
    const std::string file = folder.write("vk_layer_settings.txt",
                                          "fencebridge_implicit_sync.fence_source = semaphore\n");
    EXPECT_EQ(read({{"VK_LAYER_SETTINGS_PATH", file}, {"VK_FENCEBRIDGE_FENCE_SOURCE", "wait"}}),
              defaults_but({{"fence_source", "wait"}}));
}

TEST_F(Settings, UnknownWordKeepsTheDefaultAndSaysWhatThereIs) {
    EXPECT_EQ(read({{"VK_FENCEBRIDGE_FENCE_SOURCE", "magic"}}), defaults);
    EXPECT_NE(log.find("error"), std::string::npos) << log;
    EXPECT_NE(log.find("fence_source"), std::string::npos) << log;
    EXPECT_NE(log.find("\"magic\""), std::string::npos) << log;
    EXPECT_NE(log.find("auto, semaphore, fence, proxy, wait"), std::string::npos) << log;
}

TEST_F(Settings, WordsAreNotGuessed) {
    for (const char* word : {"FENCE", "fence ", "fences", ""}) {
        EXPECT_EQ(read({{"VK_FENCEBRIDGE_FENCE_SOURCE", word}}), defaults) << word;
    }
}

TEST_F(Settings, NumberOutOfRangeKeepsTheDefault) {
    for (const char* number : {"0", "-5", "600001", "5s", "many", "99999999999999999999"}) {
        EXPECT_EQ(read({{"VK_FENCEBRIDGE_ACQUIRE_TIMEOUT_MS", number}}), defaults) << number;
        EXPECT_NE(log.find("acquire_timeout_ms"), std::string::npos) << number << ": " << log;
        EXPECT_NE(log.find("600000"), std::string::npos) << log;
    }
    EXPECT_EQ(read({{"VK_FENCEBRIDGE_ACQUIRE_TIMEOUT_MS", "600000"}}),
              defaults_but({{"acquire_timeout_ms", 600'000}}));
}

TEST_F(Settings, OneWrongValueLeavesTheOthersAlone) {
    EXPECT_EQ(read({{"VK_FENCEBRIDGE_FENCE_SOURCE", "magic"}, {"VK_FENCEBRIDGE_ACQUIRE", "poll"}}),
              defaults_but({{"acquire", "poll"}}));
}

TEST_F(Settings, LogLevelHoldsForTheRest) {
    (void)read({{"VK_FENCEBRIDGE_FENCE_SOURCE", "magic"}, {"VK_FENCEBRIDGE_LOG_LEVEL", "off"}});
    EXPECT_EQ(log, "");
}

TEST_F(Settings, PrivilegedProcessReadsNeitherEnvironmentNorFile) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "not root: no setuid program can be made";
    }
    // A copy that runs as somebody else than its caller: the kernel sets AT_SECURE for it.
    const std::string program = (folder.path() / "privileged").string();
    std::filesystem::copy_file(from_build("FENCEBRIDGE_SETTINGS_PROBE"), program);
    std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
    constexpr uid_t nobody = 65534;
    ASSERT_EQ(::chown(program.c_str(), nobody, nobody), 0);
    ASSERT_EQ(::chmod(program.c_str(), 04755), 0);
    const std::string file = folder.write("vk_layer_settings.txt",
                                          "fencebridge_implicit_sync.fence_source = semaphore\n");
    const ChildResult child =
        run_child({program, "acquire=poll"}, {{"VK_LAYER_SETTINGS_PATH", file},
                                              {"VK_FENCEBRIDGE_TRACE", "/tmp/trace"},
                                              {"VK_FENCEBRIDGE_POLICY", "off"},
                                              {"LD_PRELOAD", std::nullopt}});
    ASSERT_EQ(child.exit_status, 0) << child.err;
    EXPECT_EQ(json::parse(child.out, nullptr, false), defaults);
}

} // namespace fencebridge::test
