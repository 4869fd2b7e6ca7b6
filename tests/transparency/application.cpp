#include "transparency/application.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

namespace fencebridge::test {

namespace {

/// Whatever has functions that our layer intercepts: a name of each that the driver lacks is
/// looked up all the same.
constexpr std::array instance_extensions{
    VK_KHR_SURFACE_EXTENSION_NAME,
    VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME,
    VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
    VK_EXT_DEBUG_UTILS_EXTENSION_NAME,
    VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME,
    VK_EXT_DISPLAY_SURFACE_COUNTER_EXTENSION_NAME,
    "VK_KHR_wayland_surface",
    "VK_KHR_xcb_surface",
    "VK_KHR_xlib_surface",
};
constexpr std::array device_extensions{
    VK_KHR_SWAPCHAIN_EXTENSION_NAME,
    VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
    VK_KHR_BIND_MEMORY_2_EXTENSION_NAME,
    VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME,
    VK_KHR_COPY_COMMANDS_2_EXTENSION_NAME,
    VK_KHR_CREATE_RENDERPASS_2_EXTENSION_NAME,
    VK_KHR_DYNAMIC_RENDERING_EXTENSION_NAME,
    VK_KHR_SYNCHRONIZATION_2_EXTENSION_NAME,
    VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME,
    VK_EXT_PRIVATE_DATA_EXTENSION_NAME,
    VK_EXT_DEBUG_MARKER_EXTENSION_NAME,
    VK_EXT_HDR_METADATA_EXTENSION_NAME,
    VK_KHR_PRESENT_ID_EXTENSION_NAME,
    VK_KHR_PRESENT_WAIT_EXTENSION_NAME,
    VK_KHR_SHARED_PRESENTABLE_IMAGE_EXTENSION_NAME,
    VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME,
    VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME,
};
constexpr std::array sharing_extensions{
    VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
    VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME,
    VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME,
};

template<typename Wanted>
void take_available(const Wanted& wanted, const std::vector<VkExtensionProperties>& available,
                    std::vector<const char*>& taken) {
    for (const char* const name : wanted) {
        if (std::any_of(available.begin(), available.end(), [&](const auto& one) {
                return std::string_view(std::data(one.extensionName)) == name;
            })) {
            taken.push_back(name);
        }
    }
}

} // namespace

Application::Application(bool with_shared_memory)
    : shares_memory(with_shared_memory),
      file_(::open(std::getenv("FENCEBRIDGE_RECORDING"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                   0666)) {
    make_instance();
    make_device();
}

Application::~Application() {
    FB_CALL(*this, DestroyDevice, device, nullptr);
    device = VK_NULL_HANDLE;
    FB_CALL(*this, DestroyInstance, instance, nullptr);
    ::close(file_);
}

void Application::make_instance() {
    uint32_t count = 0;
    vkEnumerateInstanceExtensionProperties(nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> available(count);
    vkEnumerateInstanceExtensionProperties(nullptr, &count, available.data());
    std::vector<const char*> names;
    take_available(instance_extensions, available, names);
    const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                        .apiVersion = VK_API_VERSION_1_3};
    const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                    .pApplicationInfo = &application,
                                    .enabledExtensionCount = static_cast<uint32_t>(names.size()),
                                    .ppEnabledExtensionNames = names.data()};
    if (!FB_CALL(*this, CreateInstance, &info, nullptr, &instance)) {
        std::abort();
    }
    uint32_t devices = 1;
    if (!FB_CALL(*this, EnumeratePhysicalDevices, instance, &devices, &physical_device)) {
        std::abort();
    }
    look_up("vkGetInstanceProcAddr");
}

void Application::make_device() {
    uint32_t count = 0;
    FB_CALL(*this, EnumerateDeviceExtensionProperties, physical_device, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> available(count);
    FB_CALL(*this, EnumerateDeviceExtensionProperties, physical_device, nullptr, &count,
            available.data());
    std::vector<const char*> names;
    take_available(device_extensions, available, names);
    if (shares_memory) {
        take_available(sharing_extensions, available, names);
    }
    extensions_ = {names.begin(), names.end()};
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue_info{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                             .queueCount = 1,
                                             .pQueuePriorities = &priority};
    VkPhysicalDeviceSwapchainMaintenance1FeaturesEXT maintenance{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SWAPCHAIN_MAINTENANCE_1_FEATURES_EXT,
        .swapchainMaintenance1 = VK_TRUE};
    VkPhysicalDeviceVulkan13Features features_13{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
        .pNext =
            has_extension(VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME) ? &maintenance : nullptr,
        .privateData = VK_TRUE,
        .synchronization2 = VK_TRUE,
        .dynamicRendering = VK_TRUE};
    VkPhysicalDeviceVulkan12Features features_12{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .pNext = &features_13,
        .timelineSemaphore = VK_TRUE,
        .bufferDeviceAddress = VK_TRUE};
    const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                  .pNext = &features_12,
                                  .queueCreateInfoCount = 1,
                                  .pQueueCreateInfos = &queue_info,
                                  .enabledExtensionCount = static_cast<uint32_t>(names.size()),
                                  .ppEnabledExtensionNames = names.data()};
    if (!FB_CALL(*this, CreateDevice, physical_device, &info, nullptr, &device)) {
        std::abort();
    }
    look_up("vkGetDeviceProcAddr");
    const VkDeviceQueueInfo2 queue_info_2{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2};
    FB_CALL(*this, GetDeviceQueue2, device, &queue_info_2, &queue);
    FB_CALL(*this, GetDeviceQueue, device, 0, 0, &queue);
}

void Application::look_up(const char* name) {
    begin_step(name);
    write(std::string("application: ") + name +
          (find(name, false) != nullptr ? " is there" : " is absent"));
}

uint32_t Application::memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) {
    VkPhysicalDeviceMemoryProperties properties{};
    vkGetPhysicalDeviceMemoryProperties(physical_device, &properties);
    for (uint32_t i = 0; i < properties.memoryTypeCount; ++i) {
        if ((allowed >> i & 1U) != 0 &&
            (properties.memoryTypes[i].propertyFlags & wanted) == wanted) {
            return i;
        }
    }
    std::abort();
}

void Application::begin_step(const char* name) {
    write(std::string("step: ") + name);
}

void Application::write(const std::string& line) {
    const std::string whole = line + "\n";
    if (::write(file_, whole.data(), whole.size()) < 0) {
        std::abort();
    }
}

PFN_vkVoidFunction Application::find(const char* name, bool of_device) const {
    return of_device ? vkGetDeviceProcAddr(device, name) : vkGetInstanceProcAddr(instance, name);
}

} // namespace fencebridge::test
