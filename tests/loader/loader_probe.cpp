// An application that makes an instance and a device and tells, as JSON, what of the layer it has
// met. Arguments: share (enable VK_KHR_external_memory_fd), api10 (a Vulkan 1.0 application),
// headless (nothing but a headless surface, and what is said of it).
#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace {

void must(VkResult result, const char* what) {
    if (result != VK_SUCCESS) {
        std::fprintf(stderr, "probe: %s: %d\n", what, static_cast<int>(result));
        std::exit(1); // NOLINT(concurrency-mt-unsafe)
    }
}

/// The Vulkan libraries mapped into this process, by file name.
std::set<std::string> mapped_libraries() {
    std::set<std::string> names;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const size_t slash = line.rfind('/');
        if (slash != std::string::npos && line.find(".so") != std::string::npos) {
            names.insert(line.substr(slash + 1));
        }
    }
    return names;
}

/// "library+offset" of a function: the same in every process, wherever it is loaded.
std::string place_of(PFN_vkVoidFunction function) {
    Dl_info info{};
    if (function == nullptr || ::dladdr(reinterpret_cast<void*>(function), &info) == 0) {
        return "none";
    }
    const std::string path = info.dli_fname;
    const auto offset =
        reinterpret_cast<uintptr_t>(function) - reinterpret_cast<uintptr_t>(info.dli_fbase);
    return path.substr(path.rfind('/') + 1) + "+" + std::to_string(offset);
}

std::vector<std::string> layer_names() {
    uint32_t count = 0;
    must(vkEnumerateInstanceLayerProperties(&count, nullptr), "layers");
    std::vector<VkLayerProperties> layers(count);
    must(vkEnumerateInstanceLayerProperties(&count, layers.data()), "layers");
    std::vector<std::string> names;
    for (const VkLayerProperties& layer : layers) {
        names.emplace_back(static_cast<const char*>(layer.layerName));
    }
    return names;
}

VkInstance make_instance(bool is_api10) {
    const VkApplicationInfo application{
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .apiVersion = is_api10 ? VK_API_VERSION_1_0 : VK_API_VERSION_1_3,
    };
    const std::vector<const char*> extensions{
        VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME,
        VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME};
    const VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
        .enabledExtensionCount = is_api10 ? 2U : 0U,
        .ppEnabledExtensionNames = extensions.data(),
    };
    VkInstance instance = VK_NULL_HANDLE;
    must(vkCreateInstance(&info, nullptr, &instance), "vkCreateInstance");
    return instance;
}

VkDevice make_device(VkInstance instance, bool shares_memory) {
    uint32_t count = 1;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    const VkResult found = vkEnumeratePhysicalDevices(instance, &count, &physical_device);
    must(found == VK_INCOMPLETE ? VK_SUCCESS : found, "vkEnumeratePhysicalDevices");
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue{
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueCount = 1,
        .pQueuePriorities = &priority,
    };
    const std::vector<const char*> extensions{VK_KHR_EXTERNAL_MEMORY_EXTENSION_NAME,
                                              VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME};
    const VkDeviceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue,
        .enabledExtensionCount = shares_memory ? 2U : 0U,
        .ppEnabledExtensionNames = extensions.data(),
    };
    VkDevice device = VK_NULL_HANDLE;
    must(vkCreateDevice(physical_device, &info, nullptr, &device), "vkCreateDevice");
    return device;
}

template<typename T, typename List>
std::vector<int> values(List list, int (*value)(const T&)) {
    uint32_t count = 0;
    if (list(&count, static_cast<T*>(nullptr)) != VK_SUCCESS) {
        return {};
    }
    std::vector<T> all(count);
    must(list(&count, all.data()), "a list");
    std::vector<int> numbers;
    for (const T& one : all) {
        numbers.push_back(value(one));
    }
    return numbers;
}

nlohmann::json look_at_headless_surface() {
    uint32_t count = 0;
    must(vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr), "extensions");
    std::vector<VkExtensionProperties> offered(count);
    must(vkEnumerateInstanceExtensionProperties(nullptr, &count, offered.data()), "extensions");
    nlohmann::json report;
    report["offered"] =
        std::any_of(offered.begin(), offered.end(), [](const VkExtensionProperties& one) {
            return std::string(std::data(one.extensionName)) ==
                   VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME;
        });

    const VkApplicationInfo application{
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .apiVersion = VK_API_VERSION_1_1,
    };
    const std::vector<const char*> extensions{VK_KHR_SURFACE_EXTENSION_NAME,
                                              VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME};
    const VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
        .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
        .ppEnabledExtensionNames = extensions.data(),
    };
    VkInstance instance = VK_NULL_HANDLE;
    report["instance"] = vkCreateInstance(&info, nullptr, &instance);
    if (instance == VK_NULL_HANDLE) {
        return report;
    }
    const auto create = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
        vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT"));
    const VkHeadlessSurfaceCreateInfoEXT surface_info{
        .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
    VkSurfaceKHR surface = VK_NULL_HANDLE;
    must(create(instance, &surface_info, nullptr, &surface), "vkCreateHeadlessSurfaceEXT");

    count = 1;
    VkPhysicalDevice device = VK_NULL_HANDLE;
    must(vkEnumeratePhysicalDevices(instance, &count, &device), "vkEnumeratePhysicalDevices");
    VkBool32 is_supported = VK_FALSE;
    must(vkGetPhysicalDeviceSurfaceSupportKHR(device, 0, surface, &is_supported), "support");
    report["supported"] = is_supported == VK_TRUE;
    VkSurfaceCapabilitiesKHR capabilities{};
    report["capabilities"] =
        vkGetPhysicalDeviceSurfaceCapabilitiesKHR(device, surface, &capabilities);
    report["fewest_images"] = capabilities.minImageCount;
    report["alpha"] = capabilities.supportedCompositeAlpha;
    report["formats"] = values<VkSurfaceFormatKHR>(
        [&](uint32_t* number, auto* target) {
            return vkGetPhysicalDeviceSurfaceFormatsKHR(device, surface, number, target);
        },
        [](const VkSurfaceFormatKHR& one) { return static_cast<int>(one.format); });
    report["modes"] = values<VkPresentModeKHR>(
        [&](uint32_t* number, auto* target) {
            return vkGetPhysicalDeviceSurfacePresentModesKHR(device, surface, number, target);
        },
        [](const VkPresentModeKHR& one) { return static_cast<int>(one); });
    vkDestroySurfaceKHR(instance, surface, nullptr);
    vkDestroyInstance(instance, nullptr);
    return report;
}

} // namespace

int main(int argc, char** argv) {
    const std::set<std::string> arguments(argv + 1, argv + argc);
    nlohmann::json report;
    report["enumerated_layers"] = layer_names();
    if (arguments.contains("headless")) {
        report["headless"] = look_at_headless_surface();
        report["mapped"] = mapped_libraries();
        std::cout << report << '\n';
        return 0;
    }
    const VkInstance instance = make_instance(arguments.contains("api10"));
    const VkDevice device = make_device(instance, arguments.contains("share"));
    report["mapped"] = mapped_libraries();
    for (const char* name :
         {"vkQueueSubmit", "vkCmdPipelineBarrier", "vkAllocateMemory", "vkCmdDraw"}) {
        report["functions"][name] = place_of(vkGetDeviceProcAddr(device, name));
    }
    // A call through each link of the chain: what is off must not crash what is on.
    VkQueue queue = VK_NULL_HANDLE;
    vkGetDeviceQueue(device, 0, 0, &queue);
    must(vkQueueSubmit(queue, 0, nullptr, VK_NULL_HANDLE), "vkQueueSubmit");
    must(vkDeviceWaitIdle(device), "vkDeviceWaitIdle");
    vkDestroyDevice(device, nullptr);
    vkDestroyInstance(instance, nullptr);
    std::cout << report << '\n';
    return 0;
}
