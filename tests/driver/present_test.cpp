// Swapchains: ours, whose images carry fences, beside the driver's own, whose do not.
#include "driver/driver_test.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/few_descriptors.hpp"
#include "support/headless_swapchain.hpp"
#include "support/own_dma_bufs.hpp"

#include <linux/dma-buf.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr Extent size{256, 64};
constexpr VkImageUsageFlags usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT;

struct Mode {
    Layers layers;
    const char* present; ///< the setting
};
std::string by_mode(const testing::TestParamInfo<Mode>& parameter) {
    return std::string(parameter.param.present) + name(parameter.param.layers);
}

ContextOptions options_of(const Mode& mode) {
    return with_headless_swapchain(
        {.layers = mode.layers, .settings = {{"PRESENT", mode.present}}});
}

/// Records a frame: work, then one colour on the whole image.
void draw(CommandBuffer& commands, VkImage image, const LongWork* work) {
    const VkClearColorValue colour = colour_of(new_value);
    commands.begin();
    if (work != nullptr) {
        work->record(commands, long_work);
    }
    commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdClearColorImage(commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                         &whole_image);
    commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    commands.end();
}

/// How many of this process's dma-bufs have work pending for a reader.
size_t pending_dma_bufs() {
    const std::vector<Fd> all = own_dma_bufs();
    return static_cast<size_t>(std::count_if(
        all.begin(), all.end(), [](const Fd& one) { return !is_ready(one.get(), POLLIN); }));
}

class Presented : public testing::TestWithParam<Mode> {};

/// Presents one frame of long work; how many dma-bufs had a fence when the present had returned,
/// and whether the work was done by then.
struct PresentSeen {
    size_t pending = 0;
    bool done = false;
};
PresentSeen present_once(const VulkanContext& context) {
    const LongWork work(context);
    const HeadlessSwapchain swapchain(context, size, usage);
    const uint32_t index = swapchain.acquire();
    CommandBuffer commands(context);
    draw(commands, swapchain.images.at(index), &work);
    const Fence drawn(context);
    swapchain.present(commands, index, drawn.handle);
    const PresentSeen seen{pending_dma_bufs(), drawn.status() == VK_SUCCESS};
    FB_VK(vkQueueWaitIdle(context.queue));
    EXPECT_EQ(pending_dma_bufs(), 0U) << "a fence outlives its work";
    return seen;
}

using PresentedOwned = Presented;
TEST_P(PresentedOwned, ImageCarriesItsFence) {
    VulkanContext context(options_of(GetParam()));
    const PresentSeen seen = present_once(context);
    if (has_pending_source(context)) {
        EXPECT_EQ(seen.pending, 1U);
        EXPECT_FALSE(seen.done) << "the present has waited";
    }
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedOwned,
                         testing::Values(Mode{Layers::Bridge, "owned"},
                                         Mode{Layers::ValidationBelow, "owned"},
                                         Mode{Layers::ValidationAbove, "owned"}),
                         by_mode);

using PresentedNative = Presented;
TEST_P(PresentedNative, ImageCarriesNone) {
    VulkanContext context(options_of(GetParam()));
    const PresentSeen seen = present_once(context);
    EXPECT_EQ(seen.pending, 0U);
    EXPECT_FALSE(seen.done);
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedNative,
                         testing::Values(Mode{Layers::None, "off"}, Mode{Layers::Bridge, "native"},
                                         Mode{Layers::Bridge, "auto"}),
                         by_mode);

using PresentedWaited = Presented;
TEST_P(PresentedWaited, WorkIsDoneWhenThePresentReturns) {
    VulkanContext context(options_of(GetParam()));
    const PresentSeen seen = present_once(context);
    EXPECT_TRUE(seen.done);
    EXPECT_EQ(seen.pending, 0U);
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedWaited,
                         testing::Values(Mode{Layers::Bridge, "wait"},
                                         Mode{Layers::ValidationBelow, "wait"},
                                         Mode{Layers::ValidationAbove, "wait"}),
                         by_mode);

/// A consumer reads every image of the swapchain while they are acquired.
class Acquired : public testing::TestWithParam<Mode> {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }

    /// Whether the fence, or work behind the semaphore, signals before the consumer is done.
    void acquire(bool by_semaphore, bool& came_first) const {
        VulkanContext context(options_of(GetParam()));
        const HeadlessSwapchain swapchain(context, size, usage);
        VgemFence reads = pending_fence();
        for (const Fd& dma_buf : own_dma_bufs()) {
            EXPECT_EQ(import_sync_file(dma_buf.get(), reads.sync_file(), DMA_BUF_SYNC_READ), 0);
        }
        std::thread consumer([&] {
            std::this_thread::sleep_for(long_work);
            reads.signal();
        });
        const Fence fence(context);
        const Semaphore semaphore(context);
        uint32_t index = 0;
        FB_VK(vkAcquireNextImageKHR(context.device, swapchain.handle, UINT64_MAX,
                                    by_semaphore ? semaphore.handle : VK_NULL_HANDLE,
                                    by_semaphore ? VK_NULL_HANDLE : fence.handle, &index));
        if (by_semaphore) {
            CommandBuffer commands(context);
            draw(commands, swapchain.images.at(index), nullptr);
            FB_VK(submit(context.queue, commands, fence.handle, {.wait = semaphore.handle}));
            FB_VK(fence.wait());
        } else {
            FB_VK(fence.wait());
        }
        came_first = !is_ready(reads.sync_file(), POLLIN);
        consumer.join();
        FB_VK(vkQueueWaitIdle(context.queue));
        expect_no_messages(context);
    }
};

using AcquiredOwned = Acquired;
TEST_P(AcquiredOwned, FenceWaitsForTheConsumer) {
    bool came_first = true;
    acquire(false, came_first);
    EXPECT_FALSE(came_first);
}
TEST_P(AcquiredOwned, SemaphoreWaitsForTheConsumer) {
    bool came_first = true;
    acquire(true, came_first);
    EXPECT_FALSE(came_first);
}
INSTANTIATE_TEST_SUITE_P(Mode, AcquiredOwned,
                         testing::Values(Mode{Layers::Bridge, "owned"},
                                         Mode{Layers::ValidationBelow, "owned"}),
                         by_mode);

using AcquiredNative = Acquired;
TEST_P(AcquiredNative, NobodyWaitsForTheConsumer) {
    for (const bool by_semaphore : {false, true}) {
        bool came_first = false;
        acquire(by_semaphore, came_first);
        EXPECT_TRUE(came_first);
    }
}
INSTANTIATE_TEST_SUITE_P(Mode, AcquiredNative, testing::Values(Mode{Layers::None, "off"}), by_mode);

/// What Vulkan asks of any swapchain: ours and the driver's alike.
class AnySwapchain : public testing::TestWithParam<Mode> {};

TEST_P(AnySwapchain, SaysWhenThereIsNoImage) {
    VulkanContext context(options_of(GetParam()));
    const HeadlessSwapchain swapchain(context, size, usage);
    const Fence fence(context);
    uint32_t index = 0;
    for (size_t i = 0; i < swapchain.images.size(); ++i) {
        ASSERT_EQ(vkAcquireNextImageKHR(context.device, swapchain.handle, 0, VK_NULL_HANDLE,
                                        fence.handle, &index),
                  VK_SUCCESS);
        FB_VK(fence.wait());
        fence.reset();
    }
    EXPECT_EQ(vkAcquireNextImageKHR(context.device, swapchain.handle, 0, VK_NULL_HANDLE,
                                    fence.handle, &index),
              VK_NOT_READY);
    EXPECT_EQ(vkAcquireNextImageKHR(context.device, swapchain.handle, 1'000'000, VK_NULL_HANDLE,
                                    fence.handle, &index),
              VK_TIMEOUT);
}

TEST_P(AnySwapchain, GivesItsImagesInTwoCalls) {
    VulkanContext context(options_of(GetParam()));
    const HeadlessSwapchain swapchain(context, size, usage);
    ASSERT_GE(swapchain.images.size(), 2U);
    uint32_t count = 1;
    VkImage first = VK_NULL_HANDLE;
    EXPECT_EQ(vkGetSwapchainImagesKHR(context.device, swapchain.handle, &count, &first),
              VK_INCOMPLETE);
    EXPECT_EQ(count, 1U);
    EXPECT_EQ(first, swapchain.images.front());
}

TEST_P(AnySwapchain, PresentsWithoutGrowing) {
    VulkanContext context(options_of(GetParam()));
    const HeadlessSwapchain swapchain(context, size, usage);
    std::vector<std::unique_ptr<CommandBuffer>> commands;
    for (VkImage image : swapchain.images) {
        draw(*commands.emplace_back(std::make_unique<CommandBuffer>(context)), image, nullptr);
    }
    size_t descriptors = 0;
    constexpr int frames = 300;
    for (int frame = 0; frame < frames; ++frame) {
        const uint32_t index = swapchain.acquire();
        swapchain.present(*commands.at(index), index);
        if (frame == frames / 3) {
            FB_VK(vkQueueWaitIdle(context.queue));
            descriptors = open_descriptors();
        }
    }
    FB_VK(vkQueueWaitIdle(context.queue));
    EXPECT_LE(open_descriptors(), descriptors);
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, AnySwapchain,
                         testing::Values(Mode{Layers::Bridge, "owned"},
                                         Mode{Layers::ValidationBelow, "owned"},
                                         Mode{Layers::Bridge, "wait"}, Mode{Layers::None, "off"}),
                         by_mode);

} // namespace
} // namespace fencebridge::test
