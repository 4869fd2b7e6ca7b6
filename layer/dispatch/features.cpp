#include "dispatch/features.hpp"

#include "dispatch/chain.hpp"

#include <cstddef>
#include <cstring>
#include <vector>

namespace fencebridge {

namespace {

/// Sizes of what often stands in front of a feature structure. 0: not known to us.
size_t size_of(VkStructureType type) {
    switch (type) {
    case VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO:
        return sizeof(VkLayerDeviceCreateInfo);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2:
        return sizeof(VkPhysicalDeviceFeatures2);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
        return sizeof(VkPhysicalDeviceVulkan11Features);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES:
        return sizeof(VkPhysicalDeviceVulkan12Features);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES:
        return sizeof(VkPhysicalDeviceVulkan13Features);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES:
        return sizeof(VkPhysicalDeviceTimelineSemaphoreFeatures);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES:
        return sizeof(VkPhysicalDeviceSynchronization2Features);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DYNAMIC_RENDERING_FEATURES:
        return sizeof(VkPhysicalDeviceDynamicRenderingFeatures);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MULTIVIEW_FEATURES:
        return sizeof(VkPhysicalDeviceMultiviewFeatures);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SAMPLER_YCBCR_CONVERSION_FEATURES:
        return sizeof(VkPhysicalDeviceSamplerYcbcrConversionFeatures);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DESCRIPTOR_INDEXING_FEATURES:
        return sizeof(VkPhysicalDeviceDescriptorIndexingFeatures);
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES:
        return sizeof(VkPhysicalDeviceBufferDeviceAddressFeatures);
    case VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO:
        return sizeof(VkDeviceGroupDeviceCreateInfo);
    default:
        return 0;
    }
}

/// The structure of the chain that has the feature, and the feature in it, or nulls.
struct Found {
    const VkBaseInStructure* structure = nullptr;
    VkBool32 value = VK_FALSE;
    size_t offset = 0;
};
Found find_feature(const void* chain) {
    for (const auto* item = static_cast<const VkBaseInStructure*>(chain); item != nullptr;
         item = item->pNext) {
        if (item->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES) {
            return {
                item,
                reinterpret_cast<const VkPhysicalDeviceVulkan12Features*>(item)->timelineSemaphore,
                offsetof(VkPhysicalDeviceVulkan12Features, timelineSemaphore)};
        }
        if (item->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES) {
            return {item,
                    reinterpret_cast<const VkPhysicalDeviceTimelineSemaphoreFeatures*>(item)
                        ->timelineSemaphore,
                    offsetof(VkPhysicalDeviceTimelineSemaphoreFeatures, timelineSemaphore)};
        }
    }
    return {};
}

} // namespace

struct TimelineFeature::Copies {
    VkPhysicalDeviceTimelineSemaphoreFeatures ours{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
        .timelineSemaphore = VK_TRUE,
    };
    std::vector<std::unique_ptr<std::byte[]>> structures;
};

TimelineFeature::TimelineFeature(const VkDeviceCreateInfo& info, bool supported)
    : chain_(info.pNext) {
    const Found found = find_feature(info.pNext);
    enabled_ = found.value == VK_TRUE;
    if (enabled_ || !supported) {
        return;
    }
    if (found.structure == nullptr) {
        copies_ = std::make_unique<Copies>();
        copies_->ours.pNext = const_cast<void*>(info.pNext);
        chain_ = &copies_->ours;
        enabled_ = added_ = true;
        return;
    }
    if (!can_copy_chain(info.pNext, found.structure, size_of)) {
        return;
    }
    copies_ = std::make_unique<Copies>();
    const auto allocate = [this](size_t size) -> void* {
        return copies_->structures.emplace_back(std::make_unique<std::byte[]>(size)).get();
    };
    const auto switch_on = [&](VkBaseOutStructure* copy, const VkBaseInStructure* original) {
        if (original == found.structure) {
            const VkBool32 yes = VK_TRUE;
            std::memcpy(reinterpret_cast<std::byte*>(copy) + found.offset, &yes, sizeof(yes));
        }
    };
    chain_ = copy_chain(info.pNext, found.structure, size_of, allocate, switch_on);
    enabled_ = added_ = true;
}

TimelineFeature::~TimelineFeature() = default;

} // namespace fencebridge
