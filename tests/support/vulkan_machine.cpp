#include "support/vulkan_machine.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fencebridge::test {

namespace {

/// An instance for questions, without a device. VulkanContext is for machines that are known to
/// have one: it aborts where they have not.
class Questions {
public:
    Questions() {
        const VkApplicationInfo application{
            .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
            .pApplicationName = "fencebridge-test",
            .apiVersion = VK_API_VERSION_1_1,
        };
        const VkInstanceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
            .pApplicationInfo = &application,
        };
        VkResult result = vkCreateInstance(&info, nullptr, &instance_);
        if (result == VK_ERROR_INCOMPATIBLE_DRIVER) {
            problem = "no Vulkan driver";
            return;
        }
        if (result != VK_SUCCESS) {
            problem = "no Vulkan instance: vkCreateInstance returned " + std::to_string(result);
            return;
        }
        uint32_t count = 1;
        result = vkEnumeratePhysicalDevices(instance_, &count, &device);
        if ((result != VK_SUCCESS && result != VK_INCOMPLETE) || count == 0) {
            problem = "no Vulkan device";
            return;
        }
        vkGetPhysicalDeviceProperties(device, &properties);
        if (properties.apiVersion < VK_API_VERSION_1_1) {
            problem = describe() + ": Vulkan 1.0 only";
        }
    }
    ~Questions() {
        if (instance_ != VK_NULL_HANDLE) {
            vkDestroyInstance(instance_, nullptr);
        }
    }
    Questions(const Questions&) = delete;
    Questions& operator=(const Questions&) = delete;

    std::string describe() const {
        return "the first Vulkan device, " + std::string(std::data(properties.deviceName));
    }

    std::string problem;
    VkPhysicalDevice device = VK_NULL_HANDLE;
    VkPhysicalDeviceProperties properties{};

private:
    VkInstance instance_ = VK_NULL_HANDLE;
};

bool has_extension(VkPhysicalDevice device, std::string_view wanted) {
    uint32_t count = 0;
    vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> all(count);
    vkEnumerateDeviceExtensionProperties(device, nullptr, &count, all.data());
    return std::any_of(all.begin(), all.end(), [&](const VkExtensionProperties& extension) {
        return wanted == std::data(extension.extensionName);
    });
}

} // namespace

std::string missing_gpu() {
    const Questions questions;
    if (!questions.problem.empty()) {
        return "no GPU: " + questions.problem;
    }
    switch (questions.properties.deviceType) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return {};
    default:
        return "no GPU: " + questions.describe() + ", is none";
    }
}

std::string missing_dma_bufs() {
    const Questions questions;
    if (!questions.problem.empty()) {
        return "no dma-bufs: " + questions.problem;
    }
    if (!has_extension(questions.device, VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME)) {
        return "no dma-bufs: " + questions.describe() + ", has no VK_EXT_external_memory_dma_buf";
    }
    const VkPhysicalDeviceExternalBufferInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    VkExternalBufferProperties buffer{.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    vkGetPhysicalDeviceExternalBufferProperties(questions.device, &info, &buffer);
    if ((buffer.externalMemoryProperties.externalMemoryFeatures &
         VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) == 0) {
        return "no dma-bufs: " + questions.describe() + ", does not export any";
    }
    return {};
}

} // namespace fencebridge::test
