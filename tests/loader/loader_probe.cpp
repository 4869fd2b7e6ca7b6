// An application that makes an instance and a device and tells, as JSON, what of the layer it has
// met. Arguments: share (enable VK_KHR_external_memory_fd), api10 (a Vulkan 1.0 application).
#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

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

} // namespace

int main(int argc, char** argv) {
    const std::set<std::string> arguments(argv + 1, argv + argc);
    nlohmann::json report;
    report["enumerated_layers"] = layer_names();
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
