#include "present/modifiers.hpp"

namespace fencebridge {

namespace {

std::vector<VkDrmFormatModifierPropertiesEXT> modifiers_of(const Device& device, VkFormat format) {
    const auto get = device.instance->next.GetPhysicalDeviceFormatProperties2;
    VkDrmFormatModifierPropertiesListEXT list{
        .sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT,
    };
    VkFormatProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2,
        .pNext = &list,
    };
    get(device.physical_device, format, &properties);
    std::vector<VkDrmFormatModifierPropertiesEXT> all(list.drmFormatModifierCount);
    list.pDrmFormatModifierProperties = all.data();
    get(device.physical_device, format, &properties);
    return all;
}

/// `modifier`: null for linear images of no named modifier.
bool can_make(const Device& device, const VkImageCreateInfo& info,
              std::span<const VkFormat> view_formats, const uint64_t* modifier) {
    const VkImageFormatListCreateInfo formats{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
        .viewFormatCount = static_cast<uint32_t>(view_formats.size()),
        .pViewFormats = view_formats.data(),
    };
    const VkPhysicalDeviceExternalImageFormatInfo external{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
        .pNext = view_formats.empty() ? nullptr : &formats,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    const VkPhysicalDeviceImageDrmFormatModifierInfoEXT with_modifier{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_DRM_FORMAT_MODIFIER_INFO_EXT,
        .pNext = &external,
        .drmFormatModifier = modifier != nullptr ? *modifier : 0,
        .sharingMode = info.sharingMode,
        .queueFamilyIndexCount = info.queueFamilyIndexCount,
        .pQueueFamilyIndices = info.pQueueFamilyIndices,
    };
    const VkPhysicalDeviceImageFormatInfo2 wanted{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .pNext = modifier != nullptr ? static_cast<const void*>(&with_modifier) : &external,
        .format = info.format,
        .type = info.imageType,
        .tiling =
            modifier != nullptr ? VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT : VK_IMAGE_TILING_LINEAR,
        .usage = info.usage,
        .flags = info.flags,
    };
    VkExternalImageFormatProperties external_properties{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES,
    };
    VkImageFormatProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
        .pNext = &external_properties,
    };
    if (device.instance->next.GetPhysicalDeviceImageFormatProperties2(
            device.physical_device, &wanted, &properties) != VK_SUCCESS) {
        return false;
    }
    const VkImageFormatProperties& limits = properties.imageFormatProperties;
    return (external_properties.externalMemoryProperties.externalMemoryFeatures &
            VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT) != 0 &&
           limits.maxExtent.width >= info.extent.width &&
           limits.maxExtent.height >= info.extent.height &&
           limits.maxArrayLayers >= info.arrayLayers;
}

} // namespace

std::vector<uint64_t> usable_modifiers(const Device& device, const VkImageCreateInfo& info,
                                       std::span<const VkFormat> view_formats) {
    std::vector<uint64_t> usable;
    if (!device.has_modifiers) {
        return usable;
    }
    for (const VkDrmFormatModifierPropertiesEXT& known : modifiers_of(device, info.format)) {
        if (can_make(device, info, view_formats, &known.drmFormatModifier)) {
            usable.push_back(known.drmFormatModifier);
        }
    }
    return usable;
}

bool can_make_linear(const Device& device, const VkImageCreateInfo& info,
                     std::span<const VkFormat> view_formats) {
    return can_make(device, info, view_formats, nullptr);
}

uint32_t plane_count(const Device& device, VkFormat format, uint64_t modifier) {
    for (const VkDrmFormatModifierPropertiesEXT& known : modifiers_of(device, format)) {
        if (known.drmFormatModifier == modifier) {
            return known.drmFormatModifierPlaneCount;
        }
    }
    return 1;
}

} // namespace fencebridge
