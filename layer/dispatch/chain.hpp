// Walking pNext chains.
#pragma once

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

namespace fencebridge {

/// The first structure of type `type` in the chain that starts at `next`, or null.
template<typename T>
const T* find_in_chain(const void* next, VkStructureType type) {
    for (const auto* item = static_cast<const VkBaseInStructure*>(next); item != nullptr;
         item = item->pNext) {
        if (item->sType == type) {
            return reinterpret_cast<const T*>(item);
        }
    }
    return nullptr;
}

/// The loader's link structure of kind VK_LAYER_LINK_INFO, or null where there is no loader. The
/// loader lends it for the call, to be advanced by each layer in turn.
template<typename Link>
Link* find_link(const void* next, VkStructureType type) {
    for (const auto* item = static_cast<const VkBaseInStructure*>(next); item != nullptr;
         item = item->pNext) {
        if (item->sType == type) {
            const auto* link = reinterpret_cast<const Link*>(item);
            if (link->function == VK_LAYER_LINK_INFO) {
                return const_cast<Link*>(link);
            }
        }
    }
    return nullptr;
}

} // namespace fencebridge
