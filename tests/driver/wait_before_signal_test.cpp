// Releases behind a timeline wait that nobody has signalled yet: parked, then fenced, never blocked
// on.
#include "driver/driver_test.hpp"

#include <vulkan/vulkan.h>

#include <memory>

namespace fencebridge::test {
namespace {

class Timeline {
public:
    explicit Timeline(const VulkanContext& context) : context_(context) {
        const VkSemaphoreTypeCreateInfo type{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
        };
        const VkSemaphoreCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
            .pNext = &type,
        };
        FB_VK(vkCreateSemaphore(context.device, &info, nullptr, &handle));
    }
    ~Timeline() { vkDestroySemaphore(context_.device, handle, nullptr); }
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;

    void signal_from_host(uint64_t value) const {
        const VkSemaphoreSignalInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
            .semaphore = handle,
            .value = value,
        };
        FB_VK(vkSignalSemaphore(context_.device, &info));
    }

    VkSemaphore handle = VK_NULL_HANDLE;

private:
    const VulkanContext& context_;
};

struct Case {
    Layers layers;
    Commands generation;
    bool with_fence;
};

std::string by_case(const testing::TestParamInfo<Case>& parameter) {
    return name(parameter.param.layers) +
           (parameter.param.generation == Commands::Vulkan10 ? "Submit" : "Submit2") +
           (parameter.param.with_fence ? "OwnFence" : "");
}

class WaitBeforeSignal : public testing::TestWithParam<Case> {
protected:
    void SetUp() override {
        context_ = std::make_unique<VulkanContext>(
            ContextOptions{.layers = GetParam().layers, .queue_count = 2});
        work_ = std::make_unique<LongWork>(*context_);
        shared_ = std::make_unique<SharedBuffer>(*context_, shared_extent);
        shared_->fill_on_cpu(old_value);
        commands_ = std::make_unique<CommandBuffer>(*context_, GetParam().generation);
        fence_ = std::make_unique<Fence>(*context_);
        record_frame(*commands_, *work_, *shared_);
    }

    /// Submits the release behind `timeline` reaching `value`. That it returns at all is a result.
    void submit_behind(const Timeline& timeline, uint64_t value) const {
        FB_VK(submit(context_->queue, *commands_,
                     GetParam().with_fence ? fence_->handle : VK_NULL_HANDLE,
                     {.wait = timeline.handle, .wait_value = value, .timelines = true}));
    }

    /// The peer's view once the wait is resolved.
    void expect_fenced() const {
        EXPECT_FALSE(look_now(*shared_).stale);
        EXPECT_TRUE(becomes_ready(shared_->dma_buf, POLLIN));
        EXPECT_EQ(shared_->content(), new_value);
        if (GetParam().with_fence) {
            EXPECT_EQ(fence_->wait(), VK_SUCCESS);
        }
        FB_VK(vkDeviceWaitIdle(context_->device));
        expect_no_messages(*context_);
    }

    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<LongWork> work_;
    std::unique_ptr<SharedBuffer> shared_;
    std::unique_ptr<CommandBuffer> commands_;
    std::unique_ptr<Fence> fence_;
};

TEST_P(WaitBeforeSignal, AHostSignalResolvesIt) {
    const Timeline timeline(*context_);
    submit_behind(timeline, 3);
    // Nothing that the kernel has not got may stand on the buffer (it could never end).
    EXPECT_TRUE(is_ready(shared_->dma_buf, POLLIN));
    timeline.signal_from_host(2);
    EXPECT_TRUE(is_ready(shared_->dma_buf, POLLIN)) << "2 is not 3";
    timeline.signal_from_host(3);
    expect_fenced();
}

/// A fence must not wait for what nobody has submitted: neither for its own work nor for later
/// work.
TEST_P(WaitBeforeSignal, OneDoesNotWaitForTheNext) {
    const Timeline first(*context_);
    const Timeline second(*context_);
    submit_behind(first, 1);
    CommandBuffer later(*context_, GetParam().generation);
    later.begin();
    later.end();
    FB_VK(submit(context_->queue, later, VK_NULL_HANDLE,
                 {.wait = second.handle, .wait_value = 1, .timelines = true}));
    first.signal_from_host(1);
    EXPECT_FALSE(look_now(*shared_).stale);
    EXPECT_TRUE(becomes_ready(shared_->dma_buf, POLLIN, 5'000));
    EXPECT_EQ(shared_->content(), new_value);
    second.signal_from_host(1);
    expect_fenced();
}

/// The same by a submit on another queue.
using WaitBeforeSignalAcrossQueues = WaitBeforeSignal;
TEST_P(WaitBeforeSignalAcrossQueues, AnotherQueuesSubmitResolvesIt) {
    if (context_->queues.size() < 2) {
        GTEST_SKIP() << "this driver has one queue: a wait on it cannot be resolved by another";
    }
    const Timeline timeline(*context_);
    submit_behind(timeline, 1);
    CommandBuffer signaller(*context_, GetParam().generation);
    signaller.begin();
    work_->record(signaller, long_work);
    signaller.end();
    FB_VK(submit(context_->queues[1], signaller, VK_NULL_HANDLE,
                 {.signal = timeline.handle, .signal_value = 1, .timelines = true}));
    expect_fenced();
}

/// Without the layer nobody puts a fence there when the wait is resolved.
using WaitBeforeSignalOff = WaitBeforeSignal;
TEST_P(WaitBeforeSignalOff, EveryPeerSeesOldContent) {
    const Timeline timeline(*context_);
    submit_behind(timeline, 1);
    timeline.signal_from_host(1);
    EXPECT_TRUE(look_now(*shared_).stale);
    FB_VK(vkDeviceWaitIdle(context_->device));
}

INSTANTIATE_TEST_SUITE_P(Layer, WaitBeforeSignal,
                         testing::Values(Case{Layers::Bridge, Commands::Vulkan10, false},
                                         Case{Layers::Bridge, Commands::Vulkan10, true},
                                         Case{Layers::Bridge, Commands::Synchronization2, false},
                                         Case{Layers::Bridge, Commands::Synchronization2, true},
                                         Case{Layers::ValidationBelow, Commands::Synchronization2,
                                              true}),
                         by_case);

INSTANTIATE_TEST_SUITE_P(Layer, WaitBeforeSignalOff,
                         testing::Values(Case{Layers::None, Commands::Vulkan10, false}), by_case);

INSTANTIATE_TEST_SUITE_P(Layer, WaitBeforeSignalAcrossQueues,
                         testing::Values(Case{Layers::Bridge, Commands::Vulkan10, true}), by_case);

} // namespace
} // namespace fencebridge::test
