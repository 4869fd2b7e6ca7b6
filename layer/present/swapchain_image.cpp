#include "present/swapchain_image.hpp"

#include "present/modifiers.hpp"

#include <drm_fourcc.h>

#include <algorithm>
#include <span>

namespace fencebridge {

namespace {

/// An image on what will be a dma-buf, with one of the modifiers; linear where there are none.
VkResult create_image(const Device& device, const ImageParameters& parameters,
                      std::span<const uint64_t> modifiers, const VkAllocationCallbacks* allocator,
                      VkImage* image) {
    const VkImageFormatListCreateInfo formats{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
        .viewFormatCount = static_cast<uint32_t>(parameters.view_formats.size()),
        .pViewFormats = parameters.view_formats.data(),
    };
    const VkExternalMemoryImageCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .pNext = parameters.view_formats.empty() ? nullptr : &formats,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    const VkImageDrmFormatModifierListCreateInfoEXT list{
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
        .pNext = &external,
        .drmFormatModifierCount = static_cast<uint32_t>(modifiers.size()),
        .pDrmFormatModifiers = modifiers.data(),
    };
    VkImageCreateInfo info = parameters.info;
    info.pNext = modifiers.empty() ? static_cast<const void*>(&external) : &list;
    info.tiling =
        modifiers.empty() ? VK_IMAGE_TILING_LINEAR : VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
    return device.next.CreateImage(device.handle, &info, allocator, image);
}

/// Of those that the image may have, the GPU's own where there is one.
uint32_t memory_type(const Device& device, uint32_t allowed) {
    VkPhysicalDeviceMemoryProperties types{};
    device.instance->next.GetPhysicalDeviceMemoryProperties(device.physical_device, &types);
    const auto first_with = [&](VkMemoryPropertyFlags wanted) {
        uint32_t type = 0;
        while (type < types.memoryTypeCount &&
               ((allowed & 1U << type) == 0 ||
                (types.memoryTypes[type].propertyFlags & wanted) != wanted)) {
            ++type;
        }
        return type;
    };
    const uint32_t local = first_with(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT);
    return local < types.memoryTypeCount ? local : first_with(0);
}

} // namespace

VkResult SwapchainImage::make(const Device& device, const ImageParameters& parameters,
                              const VkAllocationCallbacks* allocator) {
    extent_ = {parameters.info.extent.width, parameters.info.extent.height};
    VkResult result = create_image(device, parameters, parameters.modifiers, allocator, &image_);
    if (result != VK_SUCCESS) {
        image_ = VK_NULL_HANDLE;
        return result;
    }
    result = read_layout(device, parameters);
    return result == VK_SUCCESS ? make_memory(device, allocator) : result;
}

VkResult SwapchainImage::read_layout(const Device& device, const ImageParameters& parameters) {
    constexpr VkImageAspectFlagBits plane_aspects[] = {
        VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT,
        VK_IMAGE_ASPECT_MEMORY_PLANE_1_BIT_EXT,
        VK_IMAGE_ASPECT_MEMORY_PLANE_2_BIT_EXT,
        VK_IMAGE_ASPECT_MEMORY_PLANE_3_BIT_EXT,
    };
    std::span<const VkImageAspectFlagBits> aspects = plane_aspects;
    constexpr VkImageAspectFlagBits linear_aspect[] = {VK_IMAGE_ASPECT_COLOR_BIT};
    if (parameters.modifiers.empty()) {
        layout_.modifier = DRM_FORMAT_MOD_INVALID;
        aspects = linear_aspect;
    } else {
        VkImageDrmFormatModifierPropertiesEXT chosen{
            .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT,
        };
        if (const VkResult result =
                device.next.GetImageDrmFormatModifierPropertiesEXT(device.handle, image_, &chosen);
            result != VK_SUCCESS) {
            return result;
        }
        layout_.modifier = chosen.drmFormatModifier;
        aspects = aspects.first(std::clamp<size_t>(
            plane_count(device, parameters.info.format, layout_.modifier), 1, aspects.size()));
    }
    layout_.planes.clear();
    for (const VkImageAspectFlagBits aspect : aspects) {
        const VkImageSubresource plane{.aspectMask = aspect};
        VkSubresourceLayout layout{};
        device.next.GetImageSubresourceLayout(device.handle, image_, &plane, &layout);
        layout_.planes.push_back(
            {static_cast<uint32_t>(layout.offset), static_cast<uint32_t>(layout.rowPitch)});
    }
    return VK_SUCCESS;
}

VkResult SwapchainImage::make_alias(const Device& device, const ImageParameters& parameters,
                                    const VkAllocationCallbacks* allocator, VkImage* alias) const {
    const std::span<const uint64_t> same(&layout_.modifier, 1);
    return create_image(device, parameters,
                        parameters.modifiers.empty() ? std::span<const uint64_t>() : same,
                        allocator, alias);
}

VkResult SwapchainImage::make_memory(const Device& device, const VkAllocationCallbacks* allocator) {
    // Not dedicated where it need not be: images of the application's may be bound to it as well.
    VkMemoryDedicatedRequirements dedication{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS,
    };
    VkMemoryRequirements2 requirements{
        .sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2,
        .pNext = &dedication,
    };
    const VkImageMemoryRequirementsInfo2 of_image{
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
        .image = image_,
    };
    device.next.GetImageMemoryRequirements2(device.handle, &of_image, &requirements);
    const VkMemoryDedicatedAllocateInfo dedicated{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .image = image_,
    };
    const VkExportMemoryAllocateInfo exportable{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .pNext = dedication.requiresDedicatedAllocation == VK_TRUE ? &dedicated : nullptr,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = &exportable,
        .allocationSize = requirements.memoryRequirements.size,
        .memoryTypeIndex = memory_type(device, requirements.memoryRequirements.memoryTypeBits),
    };
    VkResult result = device.next.AllocateMemory(device.handle, &info, allocator, &memory_);
    if (result != VK_SUCCESS) {
        memory_ = VK_NULL_HANDLE;
        return result;
    }
    result = device.next.BindImageMemory(device.handle, image_, memory_, 0);
    if (result != VK_SUCCESS) {
        return result;
    }
    shared_ = std::make_shared<SharedMemory>(device, memory_);
    return shared_->dma_buf() ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

void SwapchainImage::destroy(const Device& device, const VkAllocationCallbacks* allocator) {
    shared_.reset();
    device.next.DestroyImage(device.handle, image_, allocator);
    device.next.FreeMemory(device.handle, memory_, allocator);
    image_ = VK_NULL_HANDLE;
    memory_ = VK_NULL_HANDLE;
}

} // namespace fencebridge
