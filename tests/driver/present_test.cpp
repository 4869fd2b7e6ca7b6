// Swapchains: ours, whose images carry fences, beside the driver's own, whose do not.
#include "driver/headless_present.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/few_descriptors.hpp"
#include "support/own_dma_bufs.hpp"

#include <linux/dma-buf.h>
#include <vulkan/vulkan.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr Extent size = present_extent;
constexpr VkImageUsageFlags usage = present_usage;
using Mode = PresentMode;

class Presented : public testing::TestWithParam<Mode> {};

using PresentedOwned = Presented;
TEST_P(PresentedOwned, ImageCarriesItsFence) {
    expect_a_fence_with_the_image(options_of(GetParam()));
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedOwned,
                         testing::Values(Mode{Layers::Bridge, "owned"},
                                         Mode{Layers::ValidationBelow, "owned"},
                                         Mode{Layers::ValidationAbove, "owned"}),
                         by_mode);

/// Fence source `semaphore`: the application's own semaphores are taken as fences, without a
/// submit.
class PresentedExported : public testing::TestWithParam<Layers> {};
TEST_P(PresentedExported, WorkIsFencedOrDone) {
    ContextOptions options = options_of({GetParam(), "owned"});
    options.settings.emplace_back("FENCE_SOURCE", "semaphore");
    VulkanContext context(options);
    const PresentSeen seen = present_once(context);
    // The export of both drivers of the guest waits for the work.
    EXPECT_EQ(seen.pending + (seen.done ? 1 : 0), 1U);
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedExported,
                         testing::Values(Layers::Bridge, Layers::ValidationBelow,
                                         Layers::ValidationAbove),
                         by_layers);

using PresentedNative = Presented;
TEST_P(PresentedNative, ImageCarriesNone) {
    VulkanContext context(options_of(GetParam()));
    const PresentSeen seen = present_without_waiting(context);
    EXPECT_EQ(seen.pending, 0U);
    EXPECT_EQ(seen.done, !shows_running_work(context));
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
    static void acquire(const VulkanContext& context, bool by_semaphore, bool& came_first) {
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
        CommandBuffer commands(context);
        if (by_semaphore) {
            draw(commands, swapchain.images.at(index), nullptr);
            FB_VK(submit(context.queue, commands, fence.handle, {.wait = semaphore.handle}));
        }
        FB_VK(fence.wait());
        came_first = !is_ready(reads.sync_file(), POLLIN);
        consumer.join();
        FB_VK(vkQueueWaitIdle(context.queue));
    }
};

using AcquiredOwned = Acquired;
TEST_P(AcquiredOwned, FenceWaitsForTheConsumer) {
    VulkanContext context(options_of(GetParam()));
    bool came_first = true;
    acquire(context, false, came_first);
    EXPECT_FALSE(came_first);
    expect_no_messages(context);
}
TEST_P(AcquiredOwned, SemaphoreWaitsForTheConsumer) {
    VulkanContext context(options_of(GetParam()));
    bool came_first = true;
    acquire(context, true, came_first);
    EXPECT_FALSE(came_first);
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, AcquiredOwned,
                         testing::Values(Mode{Layers::Bridge, "owned"},
                                         Mode{Layers::ValidationBelow, "owned"}),
                         by_mode);

using AcquiredNative = Acquired;
TEST_P(AcquiredNative, NobodyWaitsForTheConsumer) {
    const VulkanContext context(options_of(GetParam()));
    // On Venus Mesa's own swapchain takes the fences of its dma-bufs.
    const bool bridges_itself = context.driver == VK_DRIVER_ID_MESA_VENUS;
    for (const bool by_semaphore : {false, true}) {
        bool came_first = false;
        acquire(context, by_semaphore, came_first);
        EXPECT_EQ(came_first, !bridges_itself);
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
    if (std::string(GetParam().present) == "owned") {
        // (Mesa's own headless swapchain says VK_NOT_READY to this one too.)
        EXPECT_EQ(vkAcquireNextImageKHR(context.device, swapchain.handle, 1'000'000, VK_NULL_HANDLE,
                                        fence.handle, &index),
                  VK_TIMEOUT);
    }
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
    constexpr int frames = 120;
    for (int frame = 0; frame < frames; ++frame) {
        const uint32_t index = swapchain.acquire();
        swapchain.present(*commands.at(index), index);
        if (frame == frames / 3) {
            FB_VK(vkQueueWaitIdle(context.queue));
            descriptors = open_descriptors();
        }
    }
    FB_VK(vkQueueWaitIdle(context.queue));
    // A leak is one a frame; the driver's own pools may still fill up to one an image.
    EXPECT_LE(open_descriptors(), descriptors + swapchain.images.size());
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Mode, AnySwapchain,
                         testing::Values(Mode{Layers::Bridge, "owned"},
                                         Mode{Layers::ValidationBelow, "owned"},
                                         Mode{Layers::Bridge, "wait"}, Mode{Layers::None, "off"}),
                         by_mode);

/// Fences and ids of presents, as VK_EXT_swapchain_maintenance1 and VK_KHR_present_wait have them.
class PresentOrder : public testing::Test {
protected:
    void SetUp() override {
        ContextOptions options = options_of({Layers::Bridge, "owned"});
        options.instance_extensions.push_back(VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME);
        options.instance_extensions.push_back(VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME);
        options.device_extensions.insert(options.device_extensions.end(),
                                         {VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME,
                                          VK_KHR_PRESENT_ID_EXTENSION_NAME,
                                          VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
        if (const std::string missing = VulkanContext({}).lacks(options.device_extensions);
            !missing.empty()) {
            GTEST_SKIP() << missing;
        }
        context_ = std::make_unique<VulkanContext>(options);
        work_ = std::make_unique<LongWork>(*context_);
        commands_ = std::make_unique<CommandBuffer>(*context_);
    }

    /// Presents work that takes so long, with `chain` in the present.
    void present(const HeadlessSwapchain& swapchain, const void* chain,
                 std::chrono::milliseconds duration) const {
        const uint32_t index = swapchain.acquire();
        record_picture(*commands_, swapchain.images.at(index), new_value, work_.get(), duration);
        swapchain.present(*commands_, index, VK_NULL_HANDLE, chain);
    }

    /// `present_once(duration)` presents and says whether the work was seen running. It must have
    /// been, where that can be seen, however busy the machine is.
    template<typename PresentOnce>
    void expect_seen_running(PresentOnce&& present_once) const {
        if (!shows_running_work(*context_)) {
            (void)present_once(long_work);
            return;
        }
        const PresentSeen seen = seen_running(long_work, [&](std::chrono::milliseconds duration) {
            return PresentSeen{.done = !present_once(duration)};
        });
        EXPECT_FALSE(seen.done);
    }

    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<LongWork> work_;
    std::unique_ptr<CommandBuffer> commands_;
};

TEST_F(PresentOrder, FenceSignalsWhenTheWorkIsDone) {
    const HeadlessSwapchain swapchain(*context_, size, usage);
    const Fence fence(*context_);
    const VkSwapchainPresentFenceInfoEXT with_fence{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT,
        .swapchainCount = 1,
        .pFences = &fence.handle,
    };
    expect_seen_running([&](std::chrono::milliseconds duration) {
        present(swapchain, &with_fence, duration);
        const bool is_running = fence.status() == VK_NOT_READY;
        EXPECT_EQ(fence.wait(), VK_SUCCESS);
        EXPECT_TRUE(signals_soon());
        FB_VK(vkQueueWaitIdle(context_->queue));
        fence.reset();
        return is_running;
    });
}

TEST_F(PresentOrder, WaitForPresentWaitsForTheWork) {
    const HeadlessSwapchain swapchain(*context_, size, usage);
    const auto wait_for_present =
        context_->function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
    const auto wait_for = [&](uint64_t id, uint64_t timeout) {
        return wait_for_present(context_->device, swapchain.handle, id, timeout);
    };
    uint64_t id = 7;
    const VkPresentIdKHR with_id{
        .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
        .swapchainCount = 1,
        .pPresentIds = &id,
    };
    EXPECT_EQ(wait_for(id, 1'000'000), VK_TIMEOUT) << "nothing was presented yet";
    expect_seen_running([&](std::chrono::milliseconds duration) {
        ++id;
        present(swapchain, &with_id, duration);
        const bool is_running = wait_for(id, 1'000'000) == VK_TIMEOUT;
        EXPECT_EQ(wait_for(id, UINT64_MAX), VK_SUCCESS);
        EXPECT_EQ(pending_dma_bufs(), 0U);
        return is_running;
    });
    EXPECT_EQ(wait_for(id - 1, 0), VK_SUCCESS);
    EXPECT_EQ(wait_for(id + 1, 1'000'000), VK_TIMEOUT);
    FB_VK(vkQueueWaitIdle(context_->queue));
}

TEST_F(PresentOrder, WaitForAPresentThatIsDoneDoesNotWaitForALaterOne) {
    const HeadlessSwapchain swapchain(*context_, size, usage);
    const auto wait_for_present =
        context_->function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
    uint64_t id = 0;
    const VkPresentIdKHR with_id{
        .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
        .swapchainCount = 1,
        .pPresentIds = &id,
    };
    expect_seen_running([&](std::chrono::milliseconds duration) {
        const uint64_t first = ++id;
        present(swapchain, &with_id, std::chrono::milliseconds(0));
        EXPECT_EQ(wait_for_present(context_->device, swapchain.handle, first, UINT64_MAX),
                  VK_SUCCESS);
        ++id;
        present(swapchain, &with_id, duration);
        EXPECT_EQ(wait_for_present(context_->device, swapchain.handle, first, 0), VK_SUCCESS);
        const bool is_running =
            wait_for_present(context_->device, swapchain.handle, id, 0) == VK_TIMEOUT;
        FB_VK(vkQueueWaitIdle(context_->queue));
        return is_running;
    });
}

TEST_F(PresentOrder, UnpresentedImagesCanBeGivenBack) {
    const HeadlessSwapchain swapchain(*context_, size, usage);
    const auto give_back =
        context_->function<PFN_vkReleaseSwapchainImagesEXT>("vkReleaseSwapchainImagesEXT");
    for (size_t i = 0; i < 3 * swapchain.images.size(); ++i) {
        const uint32_t index = swapchain.acquire();
        const VkReleaseSwapchainImagesInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_RELEASE_SWAPCHAIN_IMAGES_INFO_EXT,
            .swapchain = swapchain.handle,
            .imageIndexCount = 1,
            .pImageIndices = &index,
        };
        EXPECT_EQ(give_back(context_->device, &info), VK_SUCCESS);
    }
}

TEST_F(PresentOrder, NamesAndPrivateDataOfASwapchainStayWithUs) {
    const HeadlessSwapchain swapchain(*context_, size, usage);
    const auto handle = reinterpret_cast<uint64_t>(swapchain.handle);
    const VkDebugUtilsObjectNameInfoEXT name{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
        .objectType = VK_OBJECT_TYPE_SWAPCHAIN_KHR,
        .objectHandle = handle,
        .pObjectName = "the swapchain",
    };
    EXPECT_EQ(context_->function<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT")(
                  context_->device, &name),
              VK_SUCCESS);
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    const VkPrivateDataSlotCreateInfo slot_info{
        .sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    FB_VK(vkCreatePrivateDataSlot(context_->device, &slot_info, nullptr, &slot));
    uint64_t data = 1;
    vkGetPrivateData(context_->device, VK_OBJECT_TYPE_SWAPCHAIN_KHR, handle, slot, &data);
    EXPECT_EQ(data, 0U);
    FB_VK(vkSetPrivateData(context_->device, VK_OBJECT_TYPE_SWAPCHAIN_KHR, handle, slot, 42));
    vkGetPrivateData(context_->device, VK_OBJECT_TYPE_SWAPCHAIN_KHR, handle, slot, &data);
    EXPECT_EQ(data, 42U);
    vkDestroyPrivateDataSlot(context_->device, slot, nullptr);
}

} // namespace
} // namespace fencebridge::test
