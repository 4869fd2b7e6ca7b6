#include "dispatch/capabilities.hpp"

#include "dispatch/extensions.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

std::vector<VkExtensionProperties> device_extensions(const Instance& instance,
                                                     VkPhysicalDevice physical_device) {
    uint32_t count = 0;
    instance.next.EnumerateDeviceExtensionProperties(physical_device, nullptr, &count, nullptr);
    std::vector<VkExtensionProperties> extensions(count);
    instance.next.EnumerateDeviceExtensionProperties(physical_device, nullptr, &count,
                                                     extensions.data());
    extensions.resize(count);
    return extensions;
}

void query_names(const Instance& instance, VkPhysicalDevice physical_device,
                 Capabilities& capabilities) {
    VkPhysicalDeviceProperties properties{};
    instance.next.GetPhysicalDeviceProperties(physical_device, &properties);
    capabilities.device_name = static_cast<const char*>(properties.deviceName);
    capabilities.api_version = std::min(properties.apiVersion, instance.api_version);

    const VkPhysicalDeviceDriverProperties driver = driver_of(instance, physical_device);
    capabilities.fences.driver = driver.driverID;
    capabilities.driver_name = static_cast<const char*>(driver.driverName);
}

void query_fences(const Instance& instance, VkPhysicalDevice physical_device,
                  FenceCapabilities& fences) {
    const auto get_semaphore = instance.next.GetPhysicalDeviceExternalSemaphoreProperties;
    const auto get_fence = instance.next.GetPhysicalDeviceExternalFenceProperties;
    if (get_semaphore != nullptr) {
        const VkPhysicalDeviceExternalSemaphoreInfo info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
            .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        VkExternalSemaphoreProperties properties{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES,
        };
        get_semaphore(physical_device, &info, &properties);
        fences.semaphore_export = (properties.externalSemaphoreFeatures &
                                   VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT) != 0;
        fences.semaphore_import = (properties.externalSemaphoreFeatures &
                                   VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT) != 0;
    }
    if (get_fence != nullptr) {
        const VkPhysicalDeviceExternalFenceInfo info{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
            .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        VkExternalFenceProperties properties{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES,
        };
        get_fence(physical_device, &info, &properties);
        fences.fence_export =
            (properties.externalFenceFeatures & VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT) != 0;
        fences.fence_import =
            (properties.externalFenceFeatures & VK_EXTERNAL_FENCE_FEATURE_IMPORTABLE_BIT) != 0;
    }
}

void query_memory(const Instance& instance, VkPhysicalDevice physical_device,
                  Capabilities& capabilities) {
    const auto get_buffer = instance.next.GetPhysicalDeviceExternalBufferProperties;
    if (get_buffer == nullptr) {
        return;
    }
    const VkPhysicalDeviceExternalBufferInfo info{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    VkExternalBufferProperties properties{.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    get_buffer(physical_device, &info, &properties);
    const VkExternalMemoryFeatureFlags features =
        properties.externalMemoryProperties.externalMemoryFeatures;
    capabilities.dma_buf_export = (features & VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) != 0;
    capabilities.dma_buf_import = (features & VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
    capabilities.dma_buf_dedicated_only =
        (features & VK_EXTERNAL_MEMORY_FEATURE_DEDICATED_ONLY_BIT) != 0;
}

} // namespace

VkPhysicalDeviceDriverProperties driver_of(const Instance& instance,
                                           VkPhysicalDevice physical_device) {
    VkPhysicalDeviceDriverProperties driver{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
    };
    const auto get_properties2 = instance.next.GetPhysicalDeviceProperties2;
    if (!instance.has_properties2 || get_properties2 == nullptr) {
        return driver;
    }
    // The device, not the application, decides what the query may name (1.2 or the extension).
    VkPhysicalDeviceProperties properties{};
    instance.next.GetPhysicalDeviceProperties(physical_device, &properties);
    if (properties.apiVersion < VK_API_VERSION_1_2 &&
        !contains(device_extensions(instance, physical_device),
                  VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME)) {
        return driver;
    }
    VkPhysicalDeviceProperties2 properties2{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &driver,
    };
    get_properties2(physical_device, &properties2);
    return driver;
}

Capabilities query_capabilities(const Instance& instance, VkPhysicalDevice physical_device) {
    Capabilities capabilities;
    capabilities.extensions = device_extensions(instance, physical_device);
    query_names(instance, physical_device, capabilities);
    if (instance.has_external_queries) {
        query_fences(instance, physical_device, capabilities.fences);
        query_memory(instance, physical_device, capabilities);
    }
    return capabilities;
}

} // namespace fencebridge
