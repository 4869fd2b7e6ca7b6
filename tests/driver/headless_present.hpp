// One frame on a headless swapchain, and what can be seen of it.
#pragma once

#include "driver/driver_test.hpp"
#include "support/headless_swapchain.hpp"
#include "support/presented_frame.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencebridge::test {

constexpr Extent present_extent{256, 64};
constexpr VkImageUsageFlags present_usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;

struct PresentMode {
    Layers layers;
    const char* present; ///< the setting
};
inline std::string by_mode(const testing::TestParamInfo<PresentMode>& parameter) {
    return std::string(parameter.param.present) + name(parameter.param.layers);
}

inline ContextOptions options_of(const PresentMode& mode) {
    return with_headless_swapchain(
        {.layers = mode.layers, .shares_memory = false, .settings = {{"PRESENT", mode.present}}});
}

inline void draw(CommandBuffer& commands, VkImage image, const LongWork* work) {
    record_picture(commands, image, new_value, work, long_work);
}

/// Whether work can be seen running after its present. lavapipe waits for a batch's semaphores in
/// vkQueueSubmit and vkQueuePresentKHR itself, with and without us.
inline bool shows_running_work(const VulkanContext& context) {
    return context.driver != VK_DRIVER_ID_MESA_LLVMPIPE && has_pending_source(context);
}

/// Presents a frame of work that takes so long, and looks at it.
inline PresentSeen present_once(const VulkanContext& context,
                                std::chrono::milliseconds duration = long_work) {
    const LongWork work(context);
    const HeadlessSwapchain swapchain(context, present_extent, present_usage);
    const uint32_t index = swapchain.acquire();
    CommandBuffer commands(context);
    record_picture(commands, swapchain.images.at(index), new_value, &work, duration);
    const Fence drawn(context);
    swapchain.present(commands, index, drawn.handle);
    const PresentSeen seen{pending_dma_bufs(), drawn.status() == VK_SUCCESS};
    FB_VK(vkQueueWaitIdle(context.queue));
    EXPECT_TRUE(signals_soon()) << "a fence outlives its work";
    return seen;
}

/// The same of a present that does not wait, on drivers where that can be seen.
inline PresentSeen present_without_waiting(const VulkanContext& context) {
    if (!shows_running_work(context)) {
        return present_once(context);
    }
    return seen_running(long_work, [&](std::chrono::milliseconds duration) {
        return present_once(context, duration);
    });
}

/// Presents one frame of long work, whose image must carry its fence.
inline void expect_a_fence_with_the_image(const ContextOptions& options) {
    VulkanContext context(options);
    const PresentSeen seen = present_without_waiting(context);
    if (shows_running_work(context)) {
        EXPECT_EQ(seen.pending, 1U);
        EXPECT_FALSE(seen.done) << "the present has waited";
    }
    expect_no_messages(context);
}

} // namespace fencebridge::test
