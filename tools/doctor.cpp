#include "doctor.hpp"

#include "config.hpp"
#include "dispatch/capabilities.hpp"
#include "dispatch/extensions.hpp"
#include "dispatch/instance.hpp"
#include "dispatch/present_choice.hpp"
#include "fence/source_choice.hpp"
#include "fence/vgem.hpp"
#include "kernel_check.hpp"

#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace fencebridge {

namespace {

using Json = nlohmann::ordered_json;

const char* describe(KernelSupport support) {
    switch (support) {
    case KernelSupport::Full:
        return "yes";
    case KernelSupport::Unsupported:
        return "no";
    case KernelSupport::Unknown:
        break;
    }
    return "unknown";
}

/// An instance of our own, without layers, so that the drivers answer themselves.
class BareInstance {
public:
    BareInstance() {
        // Ours would only add its own view, and other people's layers theirs.
        ::setenv("VK_LOADER_LAYERS_DISABLE", "~all~", 1);
        const VkApplicationInfo application{
            .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
            .pApplicationName = "fencebridge-doctor",
            .apiVersion = VK_API_VERSION_1_1,
        };
        const VkInstanceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
            .pApplicationInfo = &application,
        };
        result = vkCreateInstance(&info, nullptr, &instance.handle);
        if (result == VK_SUCCESS) {
            vkuInitInstanceDispatchTable(instance.handle, &instance.next, vkGetInstanceProcAddr);
            instance.api_version = VK_API_VERSION_1_1;
            instance.has_properties2 = true;
            instance.has_external_queries = true;
        }
    }
    ~BareInstance() {
        if (instance.handle != VK_NULL_HANDLE) {
            vkDestroyInstance(instance.handle, nullptr);
        }
    }
    BareInstance(const BareInstance&) = delete;
    BareInstance& operator=(const BareInstance&) = delete;

    Instance instance;
    VkResult result = VK_SUCCESS;
};

bool loader_finds_layer() {
    uint32_t count = 0;
    vkEnumerateInstanceLayerProperties(&count, nullptr);
    std::vector<VkLayerProperties> layers(count);
    vkEnumerateInstanceLayerProperties(&count, layers.data());
    for (const VkLayerProperties& layer : layers) {
        if (std::string(static_cast<const char*>(layer.layerName)) == FENCEBRIDGE_LAYER_NAME) {
            return true;
        }
    }
    return false;
}

Json examine(const Instance& instance, VkPhysicalDevice physical_device, KernelSupport kernel) {
    Capabilities capabilities = query_capabilities(instance, physical_device);
    capabilities.fences.kernel = kernel;
    capabilities.fences.vgem = Vgem::open() != nullptr;
    // Core in 1.2, whatever version our own instance asked for.
    VkPhysicalDeviceProperties properties{};
    vkGetPhysicalDeviceProperties(physical_device, &properties);
    const std::vector<VkExtensionProperties>& extensions = capabilities.extensions;
    capabilities.fences.timelines = properties.apiVersion >= VK_API_VERSION_1_2 ||
                                    contains(extensions, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    const bool shares = contains(extensions, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
    const SourceChoice source = choose_source(capabilities.fences, std::nullopt);
    const AcquireChoice acquire = choose_acquire(capabilities.fences, std::nullopt);
    const GuardChoice guard = choose_guard(capabilities.fences, GuardSetting::Auto);
    const PresentCapabilities presents{.fences = capabilities.fences,
                                       .dma_buf_export = shares && capabilities.dma_buf_export};
    const auto present = [&](PresentSetting setting) {
        return choose_present(setting, SurfaceKind::Wayland, false, presents);
    };
    const char* const not_owned = present(PresentSetting::Owned).refused;
    Json device = {
        {"name", capabilities.device_name},
        {"driver", capabilities.driver_name},
        {"dma_buf_memory", shares},
        {"sync_fd",
         {{"semaphore_export", capabilities.fences.semaphore_export},
          {"semaphore_import", capabilities.fences.semaphore_import},
          {"fence_export", capabilities.fences.fence_export},
          {"fence_import", capabilities.fences.fence_import}}},
        {"fence_source", name(source.kind)},
        {"fence_source_why", source.why},
        {"acquire", name(acquire.method)},
        {"acquire_why", acquire.why},
        {"guard", guard.on},
        {"guard_why", guard.why},
        {"present", name(present(PresentSetting::Auto).method)},
        {"present_why", present(PresentSetting::Auto).why},
        {"present_owned", not_owned == nullptr},
        {"present_owned_why",
         not_owned == nullptr ? "possible for Wayland, X11 and headless surfaces" : not_owned},
        {"notes", Json::array()},
    };
    if (!shares) {
        device["notes"].push_back("no VK_EXT_external_memory_dma_buf: nothing to bridge here");
    }
    if (source.kind == SourceKind::Wait && shares) {
        device["notes"].push_back("correct, but slow: the CPU waits for the work at each hand-off");
    }
    if (capabilities.fences.driver == VK_DRIVER_ID_MESA_RADV) {
        device["notes"].push_back(
            "amdgpu itself ignores attached fences on buffers that RADV allocated with explicit "
            "sync (GL on the same GPU); consumers that poll or export the dma-buf honour them");
    }
    return device;
}

void print(const Json& report) {
    const Json& kernel = report["kernel"];
    std::cout << "kernel " << kernel["release"].get<std::string>()
              << "\n  dma-buf sync_file ioctls: " << kernel["sync_file_ioctls"].get<std::string>()
              << " (tried on: " << kernel["tried_on"].get<std::string>() << ")"
              << "\n  vgem: " << (kernel["vgem"].get<bool>() ? "yes" : "no") << '\n'
              << "layer " << FENCEBRIDGE_LAYER_NAME << "\n  found by the Vulkan loader: "
              << (report["layer_found"].get<bool>() ? "yes"
                                                    : "no: install it, or set "
                                                      "VK_ADD_IMPLICIT_LAYER_PATH")
              << '\n';
    for (const Json& device : report["devices"]) {
        std::cout << "device " << device["name"].get<std::string>() << " ["
                  << device["driver"].get<std::string>() << "]"
                  << "\n  release: " << device["fence_source"].get<std::string>() << " ("
                  << device["fence_source_why"].get<std::string>() << ")"
                  << "\n  acquire: " << device["acquire"].get<std::string>() << " ("
                  << device["acquire_why"].get<std::string>()
                  << ")\n  guard: " << (device["guard"].get<bool>() ? "on" : "off") << " ("
                  << device["guard_why"].get<std::string>()
                  << ")\n  present: " << device["present"].get<std::string>() << " ("
                  << device["present_why"].get<std::string>()
                  << "); owned: " << device["present_owned_why"].get<std::string>() << '\n';
        for (const Json& note : device["notes"]) {
            std::cout << "  note: " << note.get<std::string>() << '\n';
        }
    }
}

} // namespace

int run_doctor(bool as_json) {
    const bool found = loader_finds_layer();
    const KernelCheck kernel = check_kernel();
    Json report = {
        {"kernel",
         {{"release", kernel.release},
          {"sync_file_ioctls", describe(kernel.support)},
          {"tried_on", kernel.tried_on},
          {"vgem", kernel.has_vgem}}},
        {"layer_found", found},
        {"devices", Json::array()},
    };
    const BareInstance bare;
    if (bare.result != VK_SUCCESS) {
        std::fprintf(stderr,
                     "fencebridge: vkCreateInstance returned %d: is a Vulkan driver "
                     "installed?\n",
                     static_cast<int>(bare.result));
        return 2;
    }
    uint32_t count = 0;
    vkEnumeratePhysicalDevices(bare.instance.handle, &count, nullptr);
    std::vector<VkPhysicalDevice> devices(count);
    vkEnumeratePhysicalDevices(bare.instance.handle, &count, devices.data());
    bool any = false;
    for (VkPhysicalDevice device : devices) {
        report["devices"].push_back(examine(bare.instance, device, kernel.support));
        any = any || report["devices"].back()["dma_buf_memory"].get<bool>();
    }
    if (as_json) {
        std::cout << report.dump(2) << '\n';
    } else {
        print(report);
    }
    return any ? 0 : 1;
}

} // namespace fencebridge
