// Frames for a swapchain, and what its images carry.
#pragma once

#include "support/own_dma_bufs.hpp"
#include "support/readiness.hpp"
#include "support/vulkan_commands.hpp"

#include <algorithm>
#include <cstddef>
#include <poll.h>
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

} // namespace fencebridge::test
