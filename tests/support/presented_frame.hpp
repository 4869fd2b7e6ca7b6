// Frames for a swapchain, and what its images carry.
#pragma once

#include "support/own_dma_bufs.hpp"
#include "support/readiness.hpp"
#include "support/vulkan_commands.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <poll.h>
#include <thread>
#include <vector>

namespace fencebridge::test {

/// Records a frame: `work`, if any, for about so long, then one colour on the whole image.
inline void record_picture(CommandBuffer& commands, VkImage image, uint32_t value,
                           const LongWork* work = nullptr,
                           std::chrono::milliseconds duration = {}) {
    const VkClearColorValue colour = colour_of(value);
    commands.begin();
    if (work != nullptr) {
        work->record(commands, duration);
    }
    commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdClearColorImage(commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                         &whole_image);
    commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    commands.end();
}

/// How many of this process's dma-bufs have work pending for a reader.
inline size_t pending_dma_bufs() {
    const std::vector<Fd> all = own_dma_bufs();
    return static_cast<size_t>(std::count_if(
        all.begin(), all.end(), [](const Fd& one) { return !is_ready(one.get(), POLLIN); }));
}

/// Whether there comes a moment, within a second or so, at which no dma-buf has work pending. Venus
/// learns from the host that the queue is idle, and the kernel learns it for itself, now and then a
/// moment later. One such moment is enough: a server that shows the picture puts fences of its own
/// on the buffers (virtio-gpu's GL adds a writer's for a buffer that it only reads).
inline bool signals_soon() {
    for (int tries = 0; tries < 100; ++tries) {
        if (pending_dma_bufs() == 0) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

/// What was seen of a frame's fences when its present had returned.
struct PresentSeen {
    size_t pending = 0; ///< dma-bufs with work pending
    bool done = false;  ///< the frame's work, by then
};

/// Calls `present_once(duration)`, a present of work that takes so long, until the work was seen
/// running; four times at most, each time with twice the work. On a busy machine a frame's work can
/// be over before anybody has looked; a present that waits for it is seen done each time.
template<typename PresentOnce>
PresentSeen seen_running(std::chrono::milliseconds duration, PresentOnce&& present_once) {
    PresentSeen seen;
    for (int tries = 0; tries < 4; ++tries, duration *= 2) {
        seen = present_once(duration);
        if (!seen.done) {
            break;
        }
    }
    return seen;
}

} // namespace fencebridge::test
