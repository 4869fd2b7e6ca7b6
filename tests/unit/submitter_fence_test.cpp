// Fence source `fence`: the submit's fence slot, shared with the application.
#include "unit/submitter_test.hpp"

namespace fencebridge::test {

class FenceSubmit : public SubmitterTest {
protected:
    FenceSubmit() : SubmitterTest(SourceKind::Fence) {}
    const VkFence app_fence = driver.application_fence();
};

TEST_F(FenceSubmit, FreeSlotTakesOurs) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.submits[0].structures, &app) << "a fence needs no copy of the batches";
    EXPECT_NE(driver.submits[0].fence, VK_NULL_HANDLE);
    EXPECT_EQ(driver.count("GetFenceFdKHR"), 1U);
    EXPECT_TRUE(driver.fence_imports.empty());
    EXPECT_EQ(counters().trailing_submits, 0U);
}

TEST_F(FenceSubmit, FenceIsUsedAgain) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(submit(app), VK_SUCCESS);
    }
    EXPECT_EQ(driver.count("CreateFence"), 1U);
}

TEST_F(FenceSubmit, ApplicationsFenceIsGivenThePayload) {
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release), app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U) << "no submit that the application did not make";
    EXPECT_NE(driver.submits[0].fence, app_fence);
    ASSERT_EQ(driver.fence_imports.size(), 1U);
    EXPECT_EQ(driver.fence_imports[0].first, app_fence);
    EXPECT_FALSE(driver.fence_imports[0].second);
    EXPECT_TRUE(driver.will_signal(app_fence));
}

TEST_F(FenceSubmit, ApplicationsFenceSignalsAtOnceWhereTheWorkIsDone) {
    driver.make_sync_file = [] { return -1; };
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release), app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.fence_imports.size(), 1U);
    EXPECT_TRUE(driver.fence_imports[0].second);
    EXPECT_TRUE(driver.will_signal(app_fence));
}

TEST_F(FenceSubmit, FenceThatTheApplicationMayExportKeepsItsOwnPayload) {
    exportable_fences.insert(app_fence, true);
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app, app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_EQ(driver.submits[0].structures, &app);
    EXPECT_EQ(driver.submits[0].fence, app_fence);
    EXPECT_TRUE(driver.submits[1].batches.empty());
    EXPECT_NE(driver.submits[1].fence, app_fence);
    EXPECT_TRUE(driver.fence_imports.empty());
    EXPECT_EQ(counters().trailing_submits, 1U);
}

TEST_F(FenceSubmit, DriverThatImportsNoFencesGetsASubmitBehind) {
    device.capabilities.fences.fence_import = false;
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release), app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_EQ(driver.submits[0].fence, app_fence);
}

TEST_F(FenceSubmit, PayloadThatCannotBeGivenComesFromASubmitBehind) {
    driver.outcomes.import_fence_fd = {VK_ERROR_OUT_OF_HOST_MEMORY};
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release), app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_TRUE(driver.submits[1].batches.empty());
    EXPECT_EQ(driver.submits[1].fence, app_fence);
    EXPECT_TRUE(driver.will_signal(app_fence));
    EXPECT_EQ(counters().trailing_submits, 1U);
}

TEST_F(FenceSubmit, FailedExportFallsToAWaitOnTheFence) {
    driver.outcomes.get_fence_fd = {VK_ERROR_TOO_MANY_OBJECTS};
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app, app_fence), VK_SUCCESS);
    EXPECT_EQ(driver.count("WaitForFences"), 1U);
    EXPECT_EQ(counters().releases_done, 1U);
    EXPECT_EQ(counters().fallbacks, 1U);
    EXPECT_TRUE(driver.will_signal(app_fence));
    // The fence was reset and serves again.
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.count("CreateFence"), 1U);
}

TEST_F(FenceSubmit, LostDeviceLeavesTheApplicationsFenceInASubmit) {
    driver.outcomes.get_fence_fd = {VK_ERROR_DEVICE_LOST};
    driver.outcomes.wait_for_fences = {VK_ERROR_DEVICE_LOST};
    driver.outcomes.queue_wait_idle = {VK_ERROR_DEVICE_LOST};
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release), app_fence), VK_SUCCESS);
    EXPECT_TRUE(driver.will_signal(app_fence));
}

TEST_F(FenceSubmit, FailedSubmitReturnsItsErrorAndTouchesNoFence) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    driver.outcomes.queue_submit = {VK_ERROR_OUT_OF_DEVICE_MEMORY};
    EXPECT_EQ(submit(app, app_fence), VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_FALSE(driver.will_signal(app_fence));
    EXPECT_EQ(driver.count("GetFenceFdKHR"), 0U);
    EXPECT_EQ(submit(app, app_fence), VK_SUCCESS);
    EXPECT_EQ(driver.count("CreateFence"), 1U);
    EXPECT_TRUE(driver.will_signal(app_fence));
}

TEST_F(FenceSubmit, NoFenceToBeHadFallsToAWait) {
    driver.outcomes.create_fence = {VK_ERROR_OUT_OF_HOST_MEMORY};
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app, app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.submits[0].fence, app_fence);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
}

} // namespace fencebridge::test
