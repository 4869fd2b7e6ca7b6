// What the capture layer, its reader and the presented frames agree on.
#pragma once

#include <atomic>
#include <cstdint>

namespace fencebridge::test {

constexpr uint32_t capture_width = 256;
constexpr uint32_t capture_height = 256;

/// Names the socket to the reader, as a descriptor's number.
constexpr const char* capture_socket_variable = "TEST_CAPTURE_SOCKET";

/// A frame is one colour, its number in the three low bytes (XRGB): a reader that finds two colours
/// has read two frames. Frame 0 is what the captured image begins with.
constexpr uint32_t frame_of_pixel(uint32_t pixel) {
    return pixel & 0xffffffU;
}

/// Layer -> reader, the only message, before the first submit. With two descriptors: the dma-buf
/// and the memory of a Submits.
struct Exported {
    uint32_t pitch;  ///< bytes
    uint32_t offset; ///< bytes
};

/// Counts the capture layer's submits, one a frame. The reader polls and reads as if it did not
/// exist; afterwards it says whether a submit was in progress meanwhile. Were it judged by clocks
/// instead, a busy machine could make it wrong.
struct Submits {
    std::atomic<uint32_t> begun = 0;
    std::atomic<uint32_t> returned = 0;
};
static_assert(std::atomic<uint32_t>::is_always_lock_free, "two processes share it");

} // namespace fencebridge::test
