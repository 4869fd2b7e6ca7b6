// Releases behind a timeline wait whose signal nobody has submitted: put off, never blocked on,
// never lost.
#include "unit/submitter_test.hpp"
#include "vulkan_handles.hpp"

#include <array>

namespace fencebridge::test {

class Parked : public SubmitterTest, public testing::WithParamInterface<SourceKind> {
protected:
    Parked() : SubmitterTest(GetParam()) { timelines->created(timeline, 0); }

    /// The batch waits for `value` of the timeline.
    VkSubmitInfo waiting(VkSubmitInfo batch, uint64_t value) {
        values_.push_back(value);
        infos_.push_back({.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                          .waitSemaphoreValueCount = 1,
                          .pWaitSemaphoreValues = &values_.back()});
        batch.pNext = &infos_.back();
        batch.waitSemaphoreCount = 1;
        batch.pWaitSemaphores = &timeline;
        batch.pWaitDstStageMask = &stage_;
        return batch;
    }
    VkSubmitInfo signalling(VkSubmitInfo batch, uint64_t value) {
        values_.push_back(value);
        infos_.push_back({.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                          .signalSemaphoreValueCount = 1,
                          .pSignalSemaphoreValues = &values_.back()});
        batch.pNext = &infos_.back();
        batch.signalSemaphoreCount = 1;
        batch.pSignalSemaphores = &timeline;
        return batch;
    }
    void host_signals(uint64_t value) {
        timelines->host_signalling();
        complete_all(timelines->signalled_by_host({timeline, value}));
    }
    /// Calls that would wait for work or must not be made before everything is submitted.
    size_t touched() const {
        return driver.count("GetSemaphoreFdKHR") + driver.count("GetFenceFdKHR") +
               driver.count("WaitForFences") + driver.count("QueueWaitIdle");
    }

    const VkSemaphore timeline = handle_of_number<VkSemaphore>(0x70);

private:
    const VkPipelineStageFlags stage_ = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    std::deque<uint64_t> values_;
    std::deque<VkTimelineSemaphoreSubmitInfo> infos_;
};

TEST_P(Parked, HostSignalCompletesIt) {
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    EXPECT_EQ(touched(), 0U) << "nothing may be exported or waited for yet";
    EXPECT_EQ(counters().parked, 1U);
    EXPECT_EQ(counters().releases, 0U);
    host_signals(1);
    EXPECT_EQ(touched(), 1U);
    EXPECT_EQ(counters().releases, 1U);
    EXPECT_EQ(driver.submits.size(), 1U);
}

TEST_P(Parked, SubmitThatSignalsCompletesItInItsOwnCall) {
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    const VkSubmitInfo signal = signalling(batch_with(nullptr, Direction::Release), 1);
    EXPECT_EQ(queue(1).submit({&signal, 1}, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(counters().releases, 1U);
    EXPECT_EQ(touched(), 1U);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_EQ(driver.submits[1].structures, &signal);
}

TEST_P(Parked, FailedSubmitOfTheSignalCompletesNothing) {
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    const VkSubmitInfo signal = signalling(batch_with(nullptr, Direction::Release), 1);
    driver.outcomes.queue_submit = {VK_ERROR_OUT_OF_DEVICE_MEMORY};
    EXPECT_EQ(queue(1).submit({&signal, 1}, VK_NULL_HANDLE), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_EQ(touched(), 0U);
    host_signals(1);
    EXPECT_EQ(counters().releases, 1U);
}

TEST_P(Parked, WhatComesBehindOnTheQueueWaitsItsTurn) {
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(touched(), 0U);
    EXPECT_EQ(counters().parked, 2U);
    host_signals(1);
    EXPECT_EQ(counters().releases, 2U);
    EXPECT_EQ(touched(), 2U);
}

TEST_P(Parked, ApplicationsFenceStaysInItsSlot) {
    // The application may reset or destroy its fence as soon as the work is done, which may be
    // before the release is completed.
    const VkFence app_fence = driver.application_fence();
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1), app_fence), VK_SUCCESS);
    EXPECT_EQ(driver.submits[0].fence, app_fence);
    EXPECT_EQ(driver.table.ResetFences(driver.device(), 1, &app_fence), VK_SUCCESS);
    host_signals(1);
    EXPECT_EQ(counters().releases, 1U);
    EXPECT_TRUE(driver.fence_imports.empty());
}

TEST_P(Parked, SignalThatCameFirstParksNothing) {
    host_signals(1);
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    EXPECT_EQ(counters().parked, 0U);
    EXPECT_EQ(counters().releases, 1U);
}

TEST_P(Parked, SubmitWithoutHandOffsStillCarriesItsSignal) {
    const VkSubmitInfo signal = signalling(batch_with(nullptr, Direction::Release), 3);
    EXPECT_EQ(queue(1).submit({&signal, 1}, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 3)), VK_SUCCESS);
    EXPECT_EQ(counters().parked, 0U);
}

/// An export that fails in another queue's call: that call must not wait on a queue that is not its
/// own. The queue's next submit does, and not before the queue can become idle at all.
class ParkedExportFails : public Parked {};
TEST_P(ParkedExportFails, TheQueuesOwnNextSubmitWaits) {
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    driver.outcomes.get_semaphore_fd = {VK_ERROR_TOO_MANY_OBJECTS};
    host_signals(1);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 0U);
    EXPECT_EQ(counters().fallbacks, 1U);
    EXPECT_EQ(submit(waiting(batch_with(nullptr, Direction::Release), 2)), VK_SUCCESS);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
    EXPECT_EQ(submit(batch_with(nullptr, Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U) << "once is enough";
}
TEST_P(ParkedExportFails, NotBehindAnotherUnresolvedSubmit) {
    EXPECT_EQ(submit(waiting(batch_with(memory(), Direction::Release), 1)), VK_SUCCESS);
    EXPECT_EQ(submit(waiting(batch_with(nullptr, Direction::Release), 2)), VK_SUCCESS);
    driver.outcomes.get_semaphore_fd = {VK_ERROR_TOO_MANY_OBJECTS};
    host_signals(1);
    EXPECT_EQ(submit(batch_with(nullptr, Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 0U) << "it would never return";
    host_signals(2);
    EXPECT_EQ(submit(batch_with(nullptr, Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
}
INSTANTIATE_TEST_SUITE_P(Semaphore, ParkedExportFails, testing::Values(SourceKind::Semaphore),
                         [](const auto& instance) { return name(instance.param); });

INSTANTIATE_TEST_SUITE_P(Sources, Parked,
                         testing::Values(SourceKind::Semaphore, SourceKind::Fence,
                                         SourceKind::Wait),
                         [](const auto& instance) { return name(instance.param); });

} // namespace fencebridge::test
