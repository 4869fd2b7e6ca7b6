// What producer and consumer agree on: the picture of a frame, and the messages between them.
#pragma once

#include <array>
#include <cstdint>

namespace fencebridge::test {

constexpr uint32_t frame_width = 256;
constexpr uint32_t frame_height = 256;
constexpr uint32_t band_count = 16;
constexpr uint32_t band_height = frame_height / band_count;
constexpr uint32_t slot_count = 3;

/// The colour (XRGB) of a band in a frame: every band changes with every frame, so that whatever
/// part of a picture is old is seen to be.
constexpr uint32_t band_colour(uint32_t frame, uint32_t band) {
    const uint32_t mixed = (frame * 2654435761U) ^ (band * 40503U * 65537U);
    const bool is_marker = (frame + band) % band_count == 0;
    const uint32_t shade = 40 + (frame * 3 + band * 11) % 160;
    const uint32_t base = shade << 16 | (shade * 3 / 4) << 8 | (255 - shade);
    return 0xff000000U | (is_marker ? 0xffffffU - (mixed & 0x0f0f0fU) : base);
}

/// Producer -> consumer, first, with one descriptor a slot as SCM_RIGHTS.
struct Setup {
    uint32_t pitch;  ///< bytes
    uint32_t offset; ///< bytes
};

/// Producer -> consumer: "the frame is in this slot". Sent right after the submit.
struct FrameReady {
    uint32_t slot;
    uint32_t frame;
    int64_t submitting_ns; ///< of the steady clock, which processes share: before vkQueueSubmit
};

/// Consumer -> producer: "I have read it".
struct SlotFree {
    uint32_t slot;
};

} // namespace fencebridge::test
