// Barriers -> hand-offs: which of them transfer ownership to or from a peer, and with what access.
#pragma once

#include "handoff/hand_off.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <optional>

namespace fencebridge {

/// VK_QUEUE_FAMILY_EXTERNAL or _FOREIGN_EXT: outside this VkInstance.
constexpr bool is_external(uint32_t queue_family) {
    return queue_family == VK_QUEUE_FAMILY_EXTERNAL || queue_family == VK_QUEUE_FAMILY_FOREIGN_EXT;
}

/// Release, acquire, or none of both. (Vulkan spec, "Queue Family Ownership Transfer")
constexpr std::optional<Direction> direction_of(uint32_t source_family,
                                                uint32_t destination_family) {
    const bool from_peer = is_external(source_family);
    const bool to_peer = is_external(destination_family);
    if (from_peer == to_peer) {
        return std::nullopt;
    }
    return to_peer ? Direction::Release : Direction::Acquire;
}

/// What an access mask amounts to: Read only where every bit is known to be a read. None and what
/// is unknown count as a write.
Access access_of(VkAccessFlags2 mask);

/// Whether the image's content is discarded.
template<typename Barrier>
bool discards(const Barrier& barrier) {
    if constexpr (requires { barrier.oldLayout; }) {
        return barrier.oldLayout == VK_IMAGE_LAYOUT_UNDEFINED;
    }
    return false;
}

/// What a barrier that transfers nothing says of the work on both of its sides.
template<typename Barrier>
Access use_of(const Barrier& barrier) {
    return discards(barrier)
               ? Access::Write
               : combine(access_of(barrier.srcAccessMask), access_of(barrier.dstAccessMask));
}

/// The hand-off that a barrier stands for, by its own side's access: what we did before a release,
/// what we shall do after an acquire. To discard (oldLayout UNDEFINED) is to write, either way.
struct Transfer {
    Direction direction;
    Access access;
};
template<typename Barrier>
std::optional<Transfer> transfer_of(const Barrier& barrier) {
    const std::optional<Direction> direction =
        direction_of(barrier.srcQueueFamilyIndex, barrier.dstQueueFamilyIndex);
    if (!direction) {
        return std::nullopt;
    }
    const Access access =
        access_of(*direction == Direction::Release ? barrier.srcAccessMask : barrier.dstAccessMask);
    return Transfer{*direction, discards(barrier) ? Access::Write : access};
}

} // namespace fencebridge
