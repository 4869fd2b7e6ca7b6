// Fence source `semaphore`: one semaphore more in the application's own submit, and nothing else.
#include "unit/allocation_counter.hpp"
#include "unit/submitter_test.hpp"
#include "vulkan_handles.hpp"

#include <array>
#include <atomic>
#include <cstring>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace fencebridge::test {

class SemaphoreSubmit : public SubmitterTest {
protected:
    SemaphoreSubmit() : SubmitterTest(SourceKind::Semaphore) {}
};

TEST_F(SemaphoreSubmit, WithoutHandOffsTheDriverGetsTheApplicationsOwnStructures) {
    const VkSubmitInfo nothing = batch_with(nullptr, Direction::Release);
    EXPECT_EQ(submit(nothing), VK_SUCCESS);
    // Also where other command buffers have hand-offs.
    const VkSubmitInfo release = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(nothing), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_EQ(driver.submits[0].structures, &nothing);
    EXPECT_EQ(driver.submits[1].structures, &nothing);
    EXPECT_EQ(driver.calls, (std::vector<std::string>{"QueueSubmit", "QueueSubmit"}));
    (void)release;
}

TEST_F(SemaphoreSubmit, ReleaseIsOneSubmitWithOneSignalMore) {
    VkSubmitInfo app = batch_with(memory(), Direction::Release);
    const VkSemaphore own = handle_of_number<VkSemaphore>(0x70);
    app.signalSemaphoreCount = 1;
    app.pSignalSemaphores = &own;
    const VkSubmitInfo before = app;
    const VkFence fence = driver.application_fence();

    EXPECT_EQ(submit(app, fence), VK_SUCCESS);
    EXPECT_EQ(std::memcmp(&app, &before, sizeof(app)), 0);
    ASSERT_EQ(driver.submits.size(), 1U);
    const FakeDriver::Submit& got = driver.submits[0];
    EXPECT_EQ(got.fence, fence) << "the slot is the application's";
    ASSERT_EQ(got.batches.size(), 1U);
    EXPECT_EQ(got.batches[0].command_buffers[0], app.pCommandBuffers[0]);
    ASSERT_EQ(got.batches[0].signals.size(), 2U);
    EXPECT_EQ(got.batches[0].signals[0], own);
    EXPECT_TRUE(got.batches[0].waits.empty());
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 1U);
    EXPECT_EQ(counters().releases, 1U);
    EXPECT_EQ(counters().trailing_submits, 0U);
}

TEST_F(SemaphoreSubmit, SecondGenerationIsTheSame) {
    const VkCommandBufferSubmitInfo commands{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
        .commandBuffer = command_buffer_with(memory(), Direction::Release),
    };
    const VkSubmitInfo2 app{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &commands,
    };
    const VkSubmitInfo2 before = app;
    EXPECT_EQ(queue().submit2({&app, 1}, VK_NULL_HANDLE), VK_SUCCESS);
    EXPECT_EQ(std::memcmp(&app, &before, sizeof(app)), 0);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_TRUE(driver.submits[0].second_generation);
    EXPECT_EQ(driver.submits[0].batches[0].signals.size(), 1U);
    EXPECT_EQ(counters().releases, 1U);
}

TEST_F(SemaphoreSubmit, LastBatchWithAReleaseSignals) {
    const auto shared = memory();
    const std::array batches{batch_with(shared, Direction::Release),
                             batch_with(shared, Direction::Release),
                             batch_with(nullptr, Direction::Release)};
    EXPECT_EQ(queue().submit(batches, VK_NULL_HANDLE), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    const auto& got = driver.submits[0].batches;
    ASSERT_EQ(got.size(), 3U);
    EXPECT_TRUE(got[0].signals.empty());
    EXPECT_EQ(got[1].signals.size(), 1U);
    EXPECT_TRUE(got[2].signals.empty()) << "a peer need not wait for what comes after the release";
    EXPECT_EQ(counters().releases, 1U) << "one buffer, one hand-off a submit";
}

TEST_F(SemaphoreSubmit, SemaphoreIsUsedAgain) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(submit(app), VK_SUCCESS);
    }
    EXPECT_EQ(driver.count("CreateSemaphore"), 1U);
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 5U);
}

TEST_F(SemaphoreSubmit, SteadyStateAllocatesNothing) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    driver.make_sync_file = [] { return -1; };
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(submit(app), VK_SUCCESS);
    }
    const size_t before = allocation_count();
    for (int i = 0; i < 50; ++i) {
        (void)submit(app);
    }
    EXPECT_EQ(allocation_count(), before);
}

TEST_F(SemaphoreSubmit, WhatCannotBeAttachedIsWaitedFor) {
    // The kernel's answer is ENOTTY; the hand-off happens when the work is done, not before.
    const UniqueFd work(::eventfd(0, EFD_CLOEXEC));
    driver.make_sync_file = [&] { return ::dup(work.get()); };
    std::atomic<bool> done = false;
    std::thread gpu([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        done = true;
        EXPECT_EQ(::eventfd_write(work.get(), 1), 0);
    });
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    EXPECT_TRUE(done) << "the submit returned with nothing attached and the work not done";
    EXPECT_EQ(counters().fallbacks, 1U);
    EXPECT_EQ(counters().fences_attached, 0U);
    gpu.join();
}

TEST_F(SemaphoreSubmit, WorkThatIsDoneAlreadyNeedsNoFence) {
    driver.make_sync_file = [] { return -1; };
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(counters().releases_done, 1U);
    EXPECT_EQ(counters().fallbacks, 0U);
}

TEST_F(SemaphoreSubmit, FailedExportFallsToAWaitAndTheHandOffIsNotLost) {
    driver.outcomes.get_semaphore_fd = {VK_ERROR_TOO_MANY_OBJECTS};
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
    EXPECT_EQ(counters().releases, 1U);
    EXPECT_EQ(counters().fallbacks, 1U);
    // Its semaphore still has the signal: the next submit must not signal it again.
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_NE(driver.submits[0].batches[0].signals, driver.submits[1].batches[0].signals);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
}

TEST_F(SemaphoreSubmit, NoSemaphoreToBeHadFallsToAWait) {
    driver.outcomes.create_semaphore = {VK_ERROR_OUT_OF_HOST_MEMORY};
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.submits[0].structures, &app);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
}

TEST_F(SemaphoreSubmit, FailedSubmitReturnsItsErrorAndTheSemaphoreIsUsedAgain) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    for (const VkResult error : {VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY}) {
        driver.outcomes.queue_submit = {error};
        EXPECT_EQ(submit(app), error);
    }
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 0U);
    EXPECT_EQ(counters().releases, 0U);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.count("CreateSemaphore"), 1U);
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 1U);
}

TEST_F(SemaphoreSubmit, LostDeviceIsTheApplicationsToHearOf) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    driver.outcomes.queue_submit = {VK_ERROR_DEVICE_LOST};
    EXPECT_EQ(submit(app), VK_ERROR_DEVICE_LOST);
    // Lost between submit and export: the submit itself had succeeded.
    driver.outcomes.get_semaphore_fd = {VK_ERROR_DEVICE_LOST};
    driver.outcomes.queue_wait_idle = {VK_ERROR_DEVICE_LOST};
    EXPECT_EQ(submit(app), VK_SUCCESS);
}

TEST_F(SemaphoreSubmit, BatchThatCannotBePatchedGetsASubmitBehindIt) {
    struct Unknown {
        VkStructureType type = static_cast<VkStructureType>(1'000'999'000);
        const void* next = nullptr;
    };
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    const Unknown unknown{.next = &values};
    VkSubmitInfo app = batch_with(memory(), Direction::Release);
    app.pNext = &unknown;
    EXPECT_EQ(submit(app), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_EQ(driver.submits[0].structures, &app);
    EXPECT_EQ(driver.submits[1].batches[0].signals.size(), 1U);
    EXPECT_TRUE(driver.submits[1].batches[0].command_buffers.empty());
    EXPECT_EQ(counters().trailing_submits, 1U);

    // And where that fails, the CPU waits.
    driver.outcomes.queue_submit = {VK_SUCCESS, VK_ERROR_OUT_OF_DEVICE_MEMORY};
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.count("QueueWaitIdle"), 1U);
}

} // namespace fencebridge::test
