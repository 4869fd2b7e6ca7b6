// Lists that Vulkan gives out in two calls: first the length, then as much as there is room for.
#pragma once

#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace fencebridge {

/// `write(to, from)` writes one element.
template<typename From, typename To, typename Write>
VkResult give_out(std::span<const From> all, uint32_t* count, To* target, Write write) {
    const auto length = static_cast<uint32_t>(all.size());
    if (target == nullptr) {
        *count = length;
        return VK_SUCCESS;
    }
    *count = std::min(*count, length);
    for (uint32_t i = 0; i < *count; ++i) {
        write(target[i], all[i]);
    }
    return *count < length ? VK_INCOMPLETE : VK_SUCCESS;
}

template<typename T>
VkResult give_out(std::span<const T> all, uint32_t* count, T* target) {
    return give_out(all, count, target, [](T& to, const T& from) { to = from; });
}

} // namespace fencebridge
