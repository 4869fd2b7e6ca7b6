// A hand-off: the moment a dma-buf changes hands between our Vulkan work and a peer.
#pragma once

#include "fence/access.hpp"
#include "handoff/shared_memory.hpp"

#include <cstdint>
#include <vector>

namespace fencebridge {

enum class Direction : uint8_t {
    Acquire, ///< in: our work waits for the peer's fences
    Release, ///< out: our work's fence goes on the dma-buf
};

/// How the layer knows of it.
enum class Origin : uint8_t {
    Transfer, ///< an ownership transfer was recorded
    Touch,    ///< a command names the resource; counts while nothing on its memory is transferred
    Always,   ///< the policy says so of every submit
    Present,  ///< an image of an owned swapchain
};

struct HandOff {
    SharedMemoryRef memory;
    Direction direction;
    Access access;
    Origin origin = Origin::Transfer;
    bool is_guarded = false; ///< a guard fence is on it from before the submit
};

/// Adds a hand-off to a list in which every memory stands once a direction and origin, with the
/// stronger of the accesses: a batch waits, and signals, as a whole.
inline void merge(std::vector<HandOff>& list, const HandOff& hand_off) {
    for (HandOff& known : list) {
        if (known.memory == hand_off.memory && known.direction == hand_off.direction &&
            known.origin == hand_off.origin) {
            known.access = combine(known.access, hand_off.access);
            return;
        }
    }
    list.push_back(hand_off);
}

} // namespace fencebridge
