// Where nothing is handed off, the layer is not there: the same script with it and without it, and
// not one call, return code or output differs, above it or below it.
#include "entry/entry_points.hpp"
#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"
#include "transparency/recording.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {

namespace {

/// One way to run the script.
struct Way {
    const char* name;
    const char* device; ///< shares or keeps: whether the device shares memory
    std::map<std::string, std::string> settings;
    std::vector<Allowance> allowed;
};

// All that may differ. A line here is the layer's documented business (docs/architecture.md); there
// is no other way to make a difference pass.

/// Which driver a device is of: said once, and asked where a swapchain might be owned.
const std::vector<Allowance> every_device{
    {"vkEnumerateDeviceExtensionProperties", "vkGetPhysicalDeviceProperties"},
    {"vkCreateDevice", "vkGetPhysicalDeviceProperties"},
};

/// Devices that share memory get what fences need, and are asked what they can do; the kernel is
/// asked on a dma-buf; and with the source proxy each queue has a timeline semaphore.
const std::vector<Allowance> sharing_devices{
    {"vkCreateDevice", "vkEnumerateDeviceExtensionProperties"},
    {"vkCreateDevice", "vkGetPhysicalDeviceExternal"},
    {"vkCreateDevice", "extension VK_KHR_external_semaphore_fd"},
    {"vkCreateDevice", "vkCreateBuffer"},
    {"vkCreateDevice", "vkGetBufferMemoryRequirements"},
    {"vkCreateDevice", "vkAllocateMemory"},
    {"vkCreateDevice", "vkGetMemoryFd"},
    {"vkCreateDevice", "vkDestroyBuffer"},
    {"vkCreateDevice", "vkFreeMemory"},
    {"vkGetDeviceQueue2", "vkCreateSemaphore"},
    {"vkDestroyDevice", "vkDestroySemaphore"},
};

/// present=wait is a submit that the CPU waits for, with a semaphore of each image and a fence.
const std::vector<Allowance> waiting_presents{
    {"vkQueuePresentKHR", "vkCreateSemaphore"},  {"vkQueuePresentKHR", "vkCreateFence"},
    {"vkQueuePresentKHR", "vkQueueSubmit"},      {"vkQueuePresentKHR", "vkWaitForFences"},
    {"vkQueuePresentKHR", "vkResetFences"},      {"vkDestroySwapchainKHR", "vkDestroySemaphore"},
    {"vkDestroySwapchainKHR", "vkDestroyFence"},
};

std::vector<Allowance> all_of(std::initializer_list<std::vector<Allowance>> lists) {
    std::vector<Allowance> all;
    for (const auto& list : lists) {
        all.insert(all.end(), list.begin(), list.end());
    }
    return all;
}

const std::vector<Way>& ways() {
    static const auto sharing = all_of({every_device, sharing_devices});
    static const auto waiting = all_of({every_device, sharing_devices, waiting_presents});
    static const std::vector<Way> all{
        {"SharesMemory", "shares", {}, sharing},
        {"KeepsMemory", "keeps", {}, every_device},
        {"KeepsMemoryPolicyOff", "keeps", {{"POLICY", "off"}}, every_device},
        {"SharesMemoryPolicyOff", "shares", {{"POLICY", "off"}}, every_device},
        {"SharesMemoryChecked", "shares", {{"CHECK", "on"}}, sharing},
        {"KeepsMemoryPresentsWait", "keeps", {{"PRESENT", "wait"}}, waiting},
    };
    return all;
}

void PrintTo(const Way& way, std::ostream* stream) {
    *stream << way.name;
}

/// The folder of Debian 12's loader, where the script is to run under that one; else null.
const char* old_loader() {
    return std::getenv("FENCEBRIDGE_OLD_LOADER"); // NOLINT(concurrency-mt-unsafe)
}

Recording run_script(const Way& way, bool bridged, const char* meddle = nullptr) {
    const TemporaryFolder folder;
    Environment environment = environment_for(bridged);
    environment["VK_INSTANCE_LAYERS"] = "VK_LAYER_TEST_recording";
    environment["FENCEBRIDGE_RECORDING"] = folder.path() / "recording";
    if (meddle != nullptr) {
        environment["FENCEBRIDGE_MEDDLE"] = meddle;
    }
    for (const auto& [setting, value] : way.settings) {
        environment["VK_FENCEBRIDGE_" + setting] = value;
    }
    if (old_loader() != nullptr) {
        environment["LD_LIBRARY_PATH"] = old_loader();
        // It knows no folder of implicit layers by a variable of its own.
        std::filesystem::create_directories(folder.path() / "vulkan");
        std::filesystem::create_directory_symlink(from_build("VK_IMPLICIT_LAYER_PATH"),
                                                  folder.path() / "vulkan/implicit_layer.d");
        environment["XDG_DATA_HOME"] = folder.path();
    }
    const ChildResult child =
        run_child({program("transparency/scripted-application"), way.device}, environment);
    EXPECT_EQ(child.exit_status, 0) << child.err;
    EXPECT_EQ(child.out.find("loader libvulkan.so.1.3.239") != std::string::npos,
              old_loader() != nullptr);
    EXPECT_EQ(child.out.find("layer") != std::string::npos, bridged) << child.out;
    Recording recording = read_recording(folder.path() / "recording");
    // A recording layer that is not there would find everything the same.
    EXPECT_TRUE(std::ranges::any_of(recording, [](const Step& step) {
        return std::ranges::any_of(step.lines, [](const std::string& line) {
            return line.starts_with("driver: vkQueueSubmit");
        });
    })) << "nothing was recorded below the layer";
    return recording;
}

/// Without the layer; the settings play no part in it.
const Recording& run_without(const Way& way) {
    static std::map<std::string, Recording> runs;
    if (!runs.contains(way.device)) {
        runs[way.device] = run_script(way, false);
    }
    return runs.at(way.device);
}

} // namespace

class Scripted : public testing::Test {
protected:
    void SetUp() override {
        if (old_loader() != nullptr && !std::filesystem::exists(old_loader())) {
            GTEST_SKIP() << "no Debian 12 Vulkan loader in " << old_loader();
        }
    }
};

class Calls : public Scripted, public testing::WithParamInterface<Way> {};

TEST_P(Calls, AreTheSameWithTheLayer) {
    const Recording without = run_without(GetParam());
    for (const std::string& one :
         differences(without, run_script(GetParam(), true), GetParam().allowed)) {
        ADD_FAILURE() << one;
    }
    size_t lines = 0;
    for (const Step& step : without) {
        lines += step.lines.size();
    }
    std::printf("compared: %zu steps, %zu lines of calls and outputs\n", without.size(), lines);
}

INSTANTIATE_TEST_SUITE_P(On, Calls, testing::ValuesIn(ways()),
                         [](const auto& parameter) { return parameter.param.name; });

/// The twin: another who changes something is found out, and at the place.
class Meddling : public Scripted,
                 public testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(Meddling, IsNoticed) {
    const auto& [meddle, step] = GetParam();
    const Way& way = ways().front();
    const auto found = differences(run_without(way), run_script(way, false, meddle), way.allowed);
    EXPECT_FALSE(found.empty());
    for (const std::string& one : found) {
        EXPECT_NE(one.find(std::string(", ") + step + ";"), std::string::npos) << one;
    }
}

INSTANTIATE_TEST_SUITE_P(Of, Meddling,
                         testing::Values(std::pair("extra_submit", "vkQueueSubmit"),
                                         std::pair("dropped_structure", "vkCreateFence"),
                                         std::pair("other_code", "vkResetCommandBuffer"),
                                         std::pair("other_output",
                                                   "vkGetBufferMemoryRequirements2")),
                         [](const auto& parameter) { return std::string(parameter.param.first); });

TEST_F(Scripted, HasAStepForEveryInterceptedFunction) {
    const std::set<std::string> steps = step_names(run_without(ways().front()));
#define EXPECT_STEP(name_) EXPECT_TRUE(steps.contains("vk" #name_)) << "vk" #name_ " has no step";
    FENCEBRIDGE_INSTANCE_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_SURFACE_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_HEADLESS_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_ANY_SURFACE_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_SURFACE_DEVICE_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_DEVICE_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_PRESENTING_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_SHARING_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_OBJECT_FUNCTIONS(EXPECT_STEP)
    FENCEBRIDGE_TOUCHING_FUNCTIONS(EXPECT_STEP)
#undef EXPECT_STEP
}

} // namespace fencebridge::test
