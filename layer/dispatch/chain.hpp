// Walking pNext chains.
#pragma once

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

#include <cstddef>
#include <cstring>

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

/// Whether the chain can be copied from its head up to and including `last`, one of its structures:
/// `size_of` gives 0 for the types that it does not know.
template<typename SizeOf>
bool can_copy_chain(const void* chain, const VkBaseInStructure* last, SizeOf size_of) {
    for (const auto* item = static_cast<const VkBaseInStructure*>(chain);; item = item->pNext) {
        if (size_of(item->sType) == 0) {
            return false;
        }
        if (item == last) {
            return true;
        }
    }
}

/// Copies that part of the chain; what follows `last` is shared with the original. `allocate` takes
/// a size and gives the memory of one copy, which the caller keeps; `change` sees each copy and its
/// original. Returns the copy's head.
template<typename SizeOf, typename Allocate, typename Change>
const void* copy_chain(const void* chain, const VkBaseInStructure* last, SizeOf size_of,
                       Allocate allocate, Change change) {
    const void* head = nullptr;
    VkBaseOutStructure* previous = nullptr;
    for (const auto* item = static_cast<const VkBaseInStructure*>(chain);; item = item->pNext) {
        const size_t size = size_of(item->sType);
        void* const bytes = allocate(size);
        std::memcpy(bytes, item, size);
        auto* const copy = static_cast<VkBaseOutStructure*>(bytes);
        if (previous == nullptr) {
            head = copy;
        } else {
            previous->pNext = copy;
        }
        previous = copy;
        change(copy, item);
        if (item == last) {
            return head;
        }
    }
}

} // namespace fencebridge
