#include "driver/machine_without_headless.hpp"

#include "support/mapped_library.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace fencebridge::test {

namespace {

namespace fs = std::filesystem;

/// What ./run counts as a skip, with the last line of the output as its reason.
[[noreturn]] void skip_all(const char* reason) {
    std::printf("%s\n", reason);
    std::exit(77); // NOLINT(concurrency-mt-unsafe)
}

void set(const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);
}

/// It comes before the first test.
auto* const the_machine = new MachineWithoutHeadless;
const auto* const environment = testing::AddGlobalTestEnvironment(the_machine);

} // namespace

bool is_old_loader() {
    return std::getenv("FENCEBRIDGE_OLD_LOADER") != nullptr;
}

std::string loader() {
    return is_old_loader() ? "Debian12sLoader" : "";
}

std::string by_mode_and_loader(const testing::TestParamInfo<PresentMode>& parameter) {
    return by_mode(parameter) + loader();
}

void MachineWithoutHeadless::SetUp() {
    const char* const drivers = std::getenv("VK_DRIVER_FILES");
    if (drivers == nullptr) {
        skip_all("VK_DRIVER_FILES does not say which driver is to lack the extension");
    }
    if (is_old_loader() && !is_mapped(old_loader)) {
        skip_all("no Debian 12 Vulkan loader in /opt/loaders");
    }
    driver = without_headless(drivers, folder_);
    own = drivers;
    set("VK_DRIVER_FILES", driver.manifest);
    for (const auto& [name, value] : driver.environment) {
        set(name.c_str(), *value);
    }
    // Old loaders do not know VK_IMPLICIT_LAYER_PATH.
    fs::create_directories(folder_.path() / "vulkan");
    fs::create_directory_symlink(from_build("VK_IMPLICIT_LAYER_PATH"),
                                 folder_.path() / "vulkan/implicit_layer.d");
    set("XDG_DATA_HOME", folder_.path());
    ::unsetenv("VK_IMPLICIT_LAYER_PATH");
}

const MachineWithoutHeadless& machine() {
    return *the_machine;
}

Variable::Variable(const char* name, const std::string& value) : name_(name) {
    const char* const before = std::getenv(name);
    before_ = before != nullptr ? std::optional<std::string>(before) : std::nullopt;
    set(name, value);
}

Variable::~Variable() {
    if (before_) {
        set(name_, *before_);
    } else {
        ::unsetenv(name_);
    }
}

bool is_offered(std::string_view extension) {
    uint32_t count = 0;
    FB_VK(vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr));
    std::vector<VkExtensionProperties> all(count);
    FB_VK(vkEnumerateInstanceExtensionProperties(nullptr, &count, all.data()));
    return std::any_of(all.begin(), all.end(), [extension](const VkExtensionProperties& one) {
        return std::data(one.extensionName) == extension;
    });
}

VkResult make_instance(VkInstance& instance) {
    const VkApplicationInfo application{
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .apiVersion = VK_API_VERSION_1_1,
    };
    const ContextOptions options = with_headless_swapchain();
    const VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
        .enabledExtensionCount = static_cast<uint32_t>(options.instance_extensions.size()),
        .ppEnabledExtensionNames = options.instance_extensions.data(),
    };
    return vkCreateInstance(&info, nullptr, &instance);
}

} // namespace fencebridge::test
