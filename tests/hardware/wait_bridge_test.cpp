// Fence source `wait` on a real GPU: Vulkan writes a buffer, a peer that knows no Vulkan (CUDA)
// reads it, and nothing but the wait stands between them. With its twin without the wait.
#include "fence/wait_source.hpp"
#include "hardware/hardware_test.hpp"
#include "support/readiness.hpp"
#include "support/vulkan_commands.hpp"

#include <vulkan/vulkan.h>

namespace fencebridge::test {
namespace {

enum class FenceOf : uint8_t { Nobody, Application };

class WaitBridge : public SharedWithCudaTest, public testing::WithParamInterface<FenceOf> {
protected:
    void SetUp() override { start(Layers::None); }
};

TEST_P(WaitBridge, OnThePeerSeesNewContent) {
    VkuDeviceDispatchTable calls{};
    vkuInitDeviceDispatchTable(context().device, &calls, vkGetDeviceProcAddr);
    WaitSource source({.device = context().device, .next = &calls});
    const Fence own(context());
    CommandBuffer commands(context());
    // The second round has a fence that was used before.
    for (int round = 0; round < 2; ++round) {
        memory().fill(old_value);
        record_frame(commands);
        const bool has_own = GetParam() == FenceOf::Application;
        const auto ticket = source.begin(has_own ? own.handle : VK_NULL_HANDLE);
        ASSERT_TRUE(ticket);
        FB_VK(submit(context().queue, commands, ticket->fence));
        EXPECT_EQ(vkGetFenceStatus(context().device, ticket->fence), VK_NOT_READY)
            << "the work is done already: there was nothing to wait for";
        ProxyFence no_guard;
        const Completion completion = source.take(*ticket, {}, no_guard);
        EXPECT_EQ(memory().content(), new_value);
        EXPECT_EQ(completion.state, Completion::State::Done);
        EXPECT_FALSE(completion.sync_file);
        if (has_own) {
            EXPECT_EQ(own.status(), VK_SUCCESS) << "the application has yet to see it";
            own.reset();
        }
        FB_VK(vkQueueWaitIdle(context().queue));
    }
}

/// Were nothing old here, the test above would prove nothing.
TEST_P(WaitBridge, OffThePeerSeesOldContent) {
    const Fence own(context());
    CommandBuffer commands(context());
    record_frame(commands);
    const VkFence fence = GetParam() == FenceOf::Application ? own.handle : VK_NULL_HANDLE;
    FB_VK(submit(context().queue, commands, fence));
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN)) << "nobody has put a fence on it";
    EXPECT_EQ(memory().content(), old_value);
    if (fence != VK_NULL_HANDLE) {
        EXPECT_EQ(own.status(), VK_NOT_READY) << "the copy was held up until the work was done";
    }
    FB_VK(vkQueueWaitIdle(context().queue));
    EXPECT_EQ(memory().content(), new_value);
}

INSTANTIATE_TEST_SUITE_P(Fence, WaitBridge, testing::Values(FenceOf::Nobody, FenceOf::Application),
                         [](const auto& fence) {
                             return fence.param == FenceOf::Nobody ? "OfNobody" : "OfApplication";
                         });

/// OPAQUE_FD memory is no dma-buf: of its transfers to EXTERNAL the layer makes nothing, and the
/// application synchronises them as it always did.
using OpaqueMemory = SharedWithCudaTest;
TEST_F(OpaqueMemory, IsLeftToItsApplication) {
    const std::string log = log_of([this] {
        start(Layers::Bridge);
        if (IsSkipped() || HasFatalFailure()) {
            return;
        }
        {
            const Fence own(context());
            CommandBuffer commands(context());
            record_frame(commands);
            FB_VK(submit(context().queue, commands, own.handle));
            EXPECT_EQ(own.status(), VK_NOT_READY) << "the layer has waited";
            EXPECT_EQ(own.wait(), VK_SUCCESS);
            EXPECT_EQ(memory().content(), new_value);
        }
        stop();
    });
    if (!IsSkipped()) {
        EXPECT_NE(log.find(": releases 0 "), std::string::npos) << log;
    }
}

} // namespace
} // namespace fencebridge::test
