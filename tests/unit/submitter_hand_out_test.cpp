// vkQueuePresentKHR of images of ours: one submit, and what comes after it in time.
#include "unit/submitter_test.hpp"
#include "vulkan_handles.hpp"

#include <array>

namespace fencebridge::test {

class HandOut : public SubmitterTest {
protected:
    HandOut() : SubmitterTest(SourceKind::Semaphore) { timelines->created(timeline, 0); }

    VkResult hand_out(VkFence fence = VK_NULL_HANDLE) {
        const std::array images{memory(), memory()};
        return queue().hand_out({
            .waits = waits,
            .memories = images,
            .fences = {&fence, fence != VK_NULL_HANDLE ? 1U : 0U},
            .then = [this] { ++shown; },
        });
    }

    /// Work behind a timeline's value that nobody has promised yet, without a release.
    void submit_unresolved() {
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
    }

    const VkSemaphore timeline = handle_of_number<VkSemaphore>(0x70);
    const std::array<VkSemaphore, 1> waits{handle_of_number<VkSemaphore>(0x80)};
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
    submit_unresolved();
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

TEST_F(HandOut, OfSeveralFencesPutsTheOthersBehindTheSubmit) {
    const std::array images{memory()};
    const std::array fences{driver.application_fence(), driver.application_fence()};
    EXPECT_EQ(queue().hand_out({.waits = waits, .memories = images, .fences = fences, .then = {}}),
              VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_EQ(driver.submits[0].fence, fences[0]);
    EXPECT_EQ(driver.submits[1].fence, fences[1]);
    EXPECT_TRUE(driver.submits[1].batches.empty());
    EXPECT_EQ(counters().trailing_submits, 1U);
}

/// The application's semaphores can be had as fences.
class ExportedHandOut : public HandOut {
protected:
    ExportedHandOut() { device.capabilities.fences.fence_import = true; }

    VkResult hand_out() {
        const std::array images{memory(), memory()};
        return queue().hand_out({
            .waits = semaphores,
            .may_export_waits = true,
            .memories = images,
            .fences = fences,
            .then = [this] { ++shown; },
        });
    }

    const std::array<VkSemaphore, 2> semaphores{driver.application_semaphore(),
                                                driver.application_semaphore()};
    const std::array<VkFence, 2> fences{driver.application_fence(), driver.application_fence()};
};

TEST_F(ExportedHandOut, TakesNoSubmit) {
    EXPECT_EQ(hand_out(), VK_SUCCESS);
    EXPECT_TRUE(driver.submits.empty());
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 2U);
    for (const VkSemaphore semaphore : semaphores) {
        EXPECT_FALSE(driver.can_be_waited_for(semaphore)) << "the present has waited for it";
    }
    for (const VkFence fence : fences) {
        EXPECT_TRUE(driver.will_signal(fence));
    }
    EXPECT_EQ(counters().releases, 2U);
    EXPECT_EQ(shown, 1);
    EXPECT_TRUE(driver.broken_rules.empty());
}

TEST_F(ExportedHandOut, OfWorkThatIsDoneHasNothingToAttach) {
    driver.make_sync_file = [] { return -1; };
    EXPECT_EQ(hand_out(), VK_SUCCESS);
    EXPECT_EQ(counters().releases_done, 2U);
    EXPECT_EQ(driver.fence_imports,
              (std::vector{std::pair(fences[0], true), std::pair(fences[1], true)}));
    EXPECT_EQ(shown, 1);
}

TEST_F(ExportedHandOut, GivesPayloadsBackWhereOneIsRefused) {
    driver.outcomes.get_semaphore_fd = {VK_SUCCESS, VK_ERROR_TOO_MANY_OBJECTS};
    EXPECT_EQ(hand_out(), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U) << "ours, and one for the second fence";
    EXPECT_EQ(driver.submits[0].batches[0].waits,
              std::vector(semaphores.begin(), semaphores.end()));
    EXPECT_EQ(driver.count("ImportSemaphoreFdKHR"), 1U) << "the first one's";
    EXPECT_EQ(shown, 1);
    EXPECT_TRUE(driver.broken_rules.empty());
}

TEST_F(ExportedHandOut, WaitsForAFenceThatTakesNoPayload) {
    driver.outcomes.import_fence_fd = {VK_ERROR_INVALID_EXTERNAL_HANDLE};
    EXPECT_EQ(hand_out(), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.submits[0].fence, fences[0]);
    EXPECT_TRUE(driver.submits[0].batches.empty());
    EXPECT_TRUE(driver.will_signal(fences[1]));
    EXPECT_EQ(shown, 1);
}

TEST_F(ExportedHandOut, BehindUnresolvedWorkIsASubmit) {
    submit_unresolved();
    EXPECT_EQ(hand_out(), VK_SUCCESS);
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 0U) << "it might never signal";
    EXPECT_EQ(counters().parked, 1U);
    EXPECT_EQ(shown, 0);
}

} // namespace fencebridge::test
