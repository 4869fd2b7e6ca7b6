#include "support/vulkan_context.hpp"

#include "support/mapped_library.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

namespace fencebridge::test {

/// What the messenger's callback, on whatever thread, leaves for the test.
struct VulkanContext::Messages {
    std::mutex mutex;
    std::vector<std::string> texts;

    static VKAPI_ATTR VkBool32 VKAPI_CALL add(VkDebugUtilsMessageSeverityFlagBitsEXT /*severity*/,
                                              VkDebugUtilsMessageTypeFlagsEXT /*types*/,
                                              const VkDebugUtilsMessengerCallbackDataEXT* data,
                                              void* user) {
        auto* const messages = static_cast<Messages*>(user);
        const std::lock_guard guard(messages->mutex);
        const char* const id = data->pMessageIdName;
        messages->texts.push_back(std::string(id != nullptr ? id : "") + ": " + data->pMessage);
        return VK_FALSE;
    }
};

namespace {

constexpr const char* validation_layer = "VK_LAYER_KHRONOS_validation";
constexpr const char* bridge_layer = "VK_LAYER_FENCEBRIDGE_implicit_sync";

/// The loader and the layer read the environment in vkCreateInstance: set for that call only.
class ScopedEnvironment {
public:
    ~ScopedEnvironment() {
        for (const auto& name : names_) {
            ::unsetenv(name.c_str());
        }
    }
    void set(const std::string& name, const std::string& value) {
        ::setenv(name.c_str(), value.c_str(), 1);
        names_.push_back(name);
    }

private:
    std::vector<std::string> names_;
};

void switch_layers(Layers layers, ScopedEnvironment& environment) {
    using namespace std::string_literals;
    switch (layers) {
    case Layers::None:
        break;
    case Layers::Bridge:
        environment.set("ENABLE_FENCEBRIDGE", "1");
        break;
    case Layers::ValidationBelow:
        // Implicit layers stand above all that VK_INSTANCE_LAYERS names.
        environment.set("ENABLE_FENCEBRIDGE", "1");
        environment.set("VK_INSTANCE_LAYERS", validation_layer);
        break;
    case Layers::ValidationAbove:
        // Named there itself, ours takes the place that the list gives it.
        environment.set("VK_INSTANCE_LAYERS", validation_layer + ":"s + bridge_layer);
        break;
    case Layers::ValidationOnly:
        environment.set("VK_INSTANCE_LAYERS", validation_layer);
        break;
    }
    // Synchronisation validation as well as core.
    environment.set("VK_VALIDATION_VALIDATE_SYNC", "1");
}

template<typename F>
std::vector<VkExtensionProperties> list_extensions(F&& enumerate) {
    uint32_t count = 0;
    enumerate(&count, nullptr);
    std::vector<VkExtensionProperties> all(count);
    enumerate(&count, all.data());
    return all;
}

bool has(const std::vector<VkExtensionProperties>& all, std::string_view wanted) {
    return std::any_of(all.begin(), all.end(), [&](const auto& extension) {
        return wanted == static_cast<const char*>(extension.extensionName);
    });
}

void check_layers(Layers layers) {
    const bool wants_validation = layers == Layers::ValidationBelow ||
                                  layers == Layers::ValidationAbove ||
                                  layers == Layers::ValidationOnly;
    const bool has_validation = is_mapped("VkLayer_khronos_validation");
    const bool has_ours = is_mapped("VkLayer_FENCEBRIDGE");
    if ((wants_validation && !has_validation) || (has_bridge(layers) && !has_ours)) {
        std::fprintf(stderr, "%s: validation layer %s, bridge layer %s\n", name(layers).c_str(),
                     has_validation ? "loaded" : "missing", has_ours ? "loaded" : "missing");
        std::abort();
    }
}

} // namespace

std::string name(Layers layers) {
    switch (layers) {
    case Layers::None:
        return "Off";
    case Layers::Bridge:
        return "On";
    case Layers::ValidationBelow:
        return "OnValidationBelow";
    case Layers::ValidationAbove:
        return "OnValidationAbove";
    case Layers::ValidationOnly:
        break;
    }
    return "OffValidation";
}

bool has_bridge(Layers layers) {
    return layers != Layers::None && layers != Layers::ValidationOnly;
}

bool VulkanContext::supports(const char* device_extension) const {
    return has(list_extensions([this](uint32_t* number, VkExtensionProperties* all) {
                   vkEnumerateDeviceExtensionProperties(physical_device, nullptr, number, all);
               }),
               device_extension);
}

std::string VulkanContext::lacks(const std::vector<const char*>& device_extensions) const {
    const auto missing =
        std::ranges::find_if(device_extensions, [this](const char* e) { return !supports(e); });
    return missing == device_extensions.end() ? "" : std::string("the driver has no ") + *missing;
}

void must_succeed(VkResult result, const char* call, const char* file, int line) {
    if (result != VK_SUCCESS) {
        std::fprintf(stderr, "%s:%d: %s returned %d\n", file, line, call, static_cast<int>(result));
        std::abort();
    }
}

VulkanContext::VulkanContext(const ContextOptions& options)
    : messages_(std::make_unique<Messages>()) {
    {
        ScopedEnvironment environment;
        switch_layers(options.layers, environment);
        for (const auto& [setting, value] : options.settings) {
            environment.set("VK_FENCEBRIDGE_" + setting, value);
        }
        for (const auto& [variable, value] : options.environment) {
            environment.set(variable, value);
        }
        const bool has_messenger =
            has(list_extensions([](uint32_t* count, VkExtensionProperties* all) {
                    vkEnumerateInstanceExtensionProperties(nullptr, count, all);
                }),
                VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        std::vector<const char*> extensions = options.instance_extensions;
        if (has_messenger) {
            extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        }
        const VkApplicationInfo application{
            .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
            .pApplicationName = "fencebridge-test",
            .apiVersion = options.api_version,
        };
        const VkInstanceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
            .pApplicationInfo = &application,
            .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
            .ppEnabledExtensionNames = extensions.data(),
        };
        FB_VK(vkCreateInstance(&info, nullptr, &instance));
        check_layers(options.layers);
        if (has_messenger) {
            const VkDebugUtilsMessengerCreateInfoEXT messenger_info{
                .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT,
                .messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                                   VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT,
                .messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT,
                .pfnUserCallback = Messages::add,
                .pUserData = messages_.get(),
            };
            const auto create = reinterpret_cast<PFN_vkCreateDebugUtilsMessengerEXT>(
                vkGetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT"));
            FB_VK(create(instance, &messenger_info, nullptr, &messenger_));
        }
    }

    uint32_t count = 1;
    const VkResult found = vkEnumeratePhysicalDevices(instance, &count, &physical_device);
    if ((found != VK_SUCCESS && found != VK_INCOMPLETE) || count == 0) {
        std::fprintf(stderr, "no Vulkan device\n");
        std::abort();
    }
    VkPhysicalDeviceDriverProperties driver_properties{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
    VkPhysicalDeviceProperties2 properties{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
                                           .pNext = &driver_properties};
    vkGetPhysicalDeviceProperties2(physical_device, &properties);
    device_name = static_cast<const char*>(properties.properties.deviceName);
    driver = driver_properties.driverID;

    std::vector<const char*> extensions = options.device_extensions;
    if (options.shares_memory) {
        for (const char* wanted : {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
                                   VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
                                   VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
                                   VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME}) {
            if (supports(wanted)) {
                extensions.push_back(wanted);
            }
        }
        has_dma_buf = supports(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
    }
    uint32_t families = 1;
    VkQueueFamilyProperties family{};
    vkGetPhysicalDeviceQueueFamilyProperties(physical_device, &families, &family);
    const uint32_t queue_count = std::min(options.queue_count, family.queueCount);
    const uint32_t created = std::min(queue_count + options.spare_queues, family.queueCount);
    const std::vector<float> priorities(created, 1.0F);
    const VkDeviceQueueCreateInfo queue_info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
        .queueCount = created,
        .pQueuePriorities = priorities.data(),
    };
    VkPhysicalDevicePresentWaitFeaturesKHR present_wait{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_WAIT_FEATURES_KHR,
        .presentWait = VK_TRUE,
    };
    VkPhysicalDevicePresentIdFeaturesKHR present_id{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PRESENT_ID_FEATURES_KHR,
        .pNext = &present_wait,
        .presentId = VK_TRUE,
    };
    const bool waits_for_presents =
        std::any_of(options.device_extensions.begin(), options.device_extensions.end(),
                    [](const std::string_view extension) {
                        return extension == VK_KHR_PRESENT_WAIT_EXTENSION_NAME;
                    });
    VkPhysicalDeviceDynamicRenderingFeatures rendering{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DYNAMIC_RENDERING_FEATURES,
        .pNext = waits_for_presents ? &present_id : nullptr,
        .dynamicRendering = VK_TRUE,
    };
    VkPhysicalDeviceSynchronization2Features sync2{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
        .pNext = &rendering,
        .synchronization2 = VK_TRUE,
    };
    VkPhysicalDeviceTimelineSemaphoreFeatures timelines{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
        .pNext = &sync2,
        .timelineSemaphore = VK_TRUE,
    };
    has_timelines = options.api_version >= VK_API_VERSION_1_3;
    const VkDeviceGroupDeviceCreateInfo group{
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO,
        .pNext = has_timelines ? &timelines : nullptr,
        .physicalDeviceCount = 1,
        .pPhysicalDevices = &physical_device,
    };
    is_device_group = options.device_group;
    const VkDeviceCreateInfo device_info{
        .sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
        .pNext = is_device_group ? &group : group.pNext,
        .queueCreateInfoCount = 1,
        .pQueueCreateInfos = &queue_info,
        .enabledExtensionCount = static_cast<uint32_t>(extensions.size()),
        .ppEnabledExtensionNames = extensions.data(),
    };
    FB_VK(vkCreateDevice(physical_device, &device_info, nullptr, &device));
    for (uint32_t i = 0; i < queue_count; ++i) {
        vkGetDeviceQueue(device, 0, i, &queues.emplace_back());
    }
    queue = queues.front();
    const VkCommandPoolCreateInfo pool_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
    };
    FB_VK(vkCreateCommandPool(device, &pool_info, nullptr, &pool));
}

VulkanContext::~VulkanContext() {
    vkDestroyCommandPool(device, pool, nullptr);
    vkDestroyDevice(device, nullptr);
    if (messenger_ != VK_NULL_HANDLE) {
        const auto destroy = reinterpret_cast<PFN_vkDestroyDebugUtilsMessengerEXT>(
            vkGetInstanceProcAddr(instance, "vkDestroyDebugUtilsMessengerEXT"));
        destroy(instance, messenger_, nullptr);
    }
    vkDestroyInstance(instance, nullptr);
}

PFN_vkVoidFunction VulkanContext::lookup(const char* function_name) const {
    const PFN_vkVoidFunction found = vkGetDeviceProcAddr(device, function_name);
    if (found == nullptr) {
        std::fprintf(stderr, "no %s on this device\n", function_name);
        std::abort();
    }
    return found;
}

std::vector<std::string> VulkanContext::take_messages() {
    const std::lock_guard guard(messages_->mutex);
    return std::exchange(messages_->texts, {});
}

uint32_t VulkanContext::memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const {
    VkPhysicalDeviceMemoryProperties properties{};
    vkGetPhysicalDeviceMemoryProperties(physical_device, &properties);
    for (uint32_t i = 0; i < properties.memoryTypeCount; ++i) {
        if ((allowed >> i & 1U) != 0 &&
            (properties.memoryTypes[i].propertyFlags & wanted) == wanted) {
            return i;
        }
    }
    std::fprintf(stderr, "no memory type of %#x with flags %#x\n", allowed, wanted);
    std::abort();
}

} // namespace fencebridge::test
