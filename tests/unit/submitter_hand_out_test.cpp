// vkQueuePresentKHR of images of ours: one submit, and what comes after it in time.
#include "unit/submitter_test.hpp"

#include <array>

namespace fencebridge::test {

class HandOut : public SubmitterTest {
protected:
    HandOut() : SubmitterTest(SourceKind::Semaphore) { timelines->created(timeline, 0); }

    VkResult hand_out(VkFence fence = VK_NULL_HANDLE) {
        const std::array images{memory(), memory()};
        return queue().hand_out(waits, images, fence, [this] { ++shown; });
    }

    const VkSemaphore timeline = reinterpret_cast<VkSemaphore>(0x70); // NOLINT(*-int-to-ptr)
    const std::array<VkSemaphore, 1> waits{
        reinterpret_cast<VkSemaphore>(0x80)}; // NOLINT(*-int-to-ptr)
    int shown = 0;
};

TEST_F(HandOut, IsOneSubmitThatWaits) {
    const VkFence fence = driver.application_fence();
    EXPECT_EQ(hand_out(fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    const FakeDriver::Submit& got = driver.submits[0];
    EXPECT_EQ(got.fence, fence);
    ASSERT_EQ(got.batches.size(), 1U);
    EXPECT_EQ(got.batches[0].waits, std::vector(waits.begin(), waits.end()));
    EXPECT_EQ(got.batches[0].signals.size(), 1U) << "ours";
    EXPECT_TRUE(got.batches[0].command_buffers.empty());
    EXPECT_EQ(counters().releases, 2U);
    EXPECT_EQ(shown, 1);
}

TEST_F(HandOut, OfAFailedSubmitShowsNothing) {
    driver.outcomes.queue_submit.push_back(VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(hand_out(), VK_ERROR_DEVICE_LOST);
    EXPECT_EQ(counters().releases, 0U);
    EXPECT_EQ(shown, 0);
}

TEST_F(HandOut, BehindUnresolvedWorkIsShownByTheCallThatResolvesIt) {
    const uint64_t value = 1;
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = 1,
        .pWaitSemaphoreValues = &value,
    };
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    VkSubmitInfo unresolved = batch_with(nullptr, Direction::Release);
    unresolved.pNext = &values;
    unresolved.waitSemaphoreCount = 1;
    unresolved.pWaitSemaphores = &timeline;
    unresolved.pWaitDstStageMask = &stage;
    EXPECT_EQ(submit(unresolved), VK_SUCCESS);

    EXPECT_EQ(hand_out(), VK_SUCCESS);
    EXPECT_EQ(counters().parked, 1U);
    EXPECT_EQ(shown, 0);
    // Another submit without a place for it.
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(shown, 0);

    timelines->host_signalling();
    complete_all(timelines->signalled_by_host({timeline, 1}));
    EXPECT_EQ(counters().releases, 3U);
    EXPECT_EQ(shown, 1);
}

} // namespace fencebridge::test
