// What a queue's submits leave in the trace. Fences that are attached or imported need real
// dma-bufs: those are in kernel/trace_on_kernel_test.cpp.
#include "unit/allocation_counter.hpp"
#include "unit/submitter_test.hpp"
#include "unit/traced.hpp"
#include "vulkan_handles.hpp"

#include <array>
#include <chrono>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace fencebridge::test {

class TracedSubmit : public SubmitterTest, public testing::WithParamInterface<SourceKind> {
protected:
    TracedSubmit() : SubmitterTest(GetParam()) {
        device.trace = in_folder.trace.get();
        device.trace_device = device.trace->add_device("a FakeDriver's");
        timelines->created(timeline, 0);
    }

    VkResult submit_behind(VkSubmitInfo batch, uint64_t value) {
        const VkTimelineSemaphoreSubmitInfo values{
            .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
            .waitSemaphoreValueCount = 1,
            .pWaitSemaphoreValues = &value,
        };
        const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        batch.pNext = &values;
        batch.waitSemaphoreCount = 1;
        batch.pWaitSemaphores = &timeline;
        batch.pWaitDstStageMask = &stage;
        return submit(batch);
    }

    /// What holds for each record: the device and queue, times that fit the clock and each other.
    std::vector<TraceRecord> records() const {
        const TraceContents contents = in_folder.contents();
        EXPECT_EQ(contents.torn, 0U);
        for (const TraceRecord& record : contents.records) {
            EXPECT_EQ(record.device, 0U);
            EXPECT_EQ(record.thread, static_cast<uint32_t>(::gettid()));
            EXPECT_GE(record.time_ns, contents.start_monotonic_ns);
            EXPECT_LE(record.time_ns + record.span_ns, Trace::now());
            EXPECT_LE(record.gap_ns, record.span_ns);
            EXPECT_LE(record.ioctl_ns, record.span_ns);
        }
        return contents.records;
    }

    const VkSemaphore timeline = handle_of_number<VkSemaphore>(0x70);
    const TraceInFolder in_folder;
};

TEST_P(TracedSubmit, ReleaseLeavesARecord) {
    // The memfds of these tests take no fence: where there is one, the CPU waits.
    const auto shared = memory();
    const bool waits = GetParam() == SourceKind::Wait;
    EXPECT_EQ(submit(batch_with(shared, Direction::Release, Access::Read)), VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(direction_of(all[0]), TraceDirection::Release);
    EXPECT_EQ(access_of(all[0]), TraceAccess::Read);
    EXPECT_EQ(all[0].inode, shared->dma_buf()->inode());
    EXPECT_EQ(all[0].outcome, TraceOutcome::CpuWait);
    EXPECT_EQ(all[0].origin, TraceOrigin::Transfer);
    EXPECT_STREQ(word(all[0].source), waits ? "wait" : name(GetParam()));
    EXPECT_EQ(all[0].queue, 0U);
    EXPECT_EQ(all[0].parked_id, 0U);
    EXPECT_FALSE(is_guarded(all[0]));
}

TEST_P(TracedSubmit, EachQueueHasItsNumber) {
    (void)queue(0);
    (void)queue(1);
    const VkSubmitInfo batch = batch_with(memory(), Direction::Release);
    EXPECT_EQ(queue(1).submit({&batch, 1}, VK_NULL_HANDLE), VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].queue, 1U);
}

TEST_P(TracedSubmit, GapBeginsWhereTheDriverHasReturned) {
    constexpr auto in_the_driver = std::chrono::milliseconds(20);
    driver.on_submit = [&] { std::this_thread::sleep_for(in_the_driver); };
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_GE(all[0].span_ns - all[0].gap_ns, std::chrono::nanoseconds(in_the_driver).count());
}

TEST_P(TracedSubmit, ParkedReleaseIsToldWhenItIsParkedAndWhenItIsMade) {
    const auto shared = memory();
    EXPECT_EQ(submit_behind(batch_with(shared, Direction::Release), 1), VK_SUCCESS);
    auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].outcome, TraceOutcome::Parked);
    EXPECT_NE(all[0].parked_id, 0U);
    // What is submitted in between is another's.
    EXPECT_EQ(submit(batch_with(memory(), Direction::Acquire, Access::Read)), VK_SUCCESS);
    timelines->host_signalling();
    complete_all(timelines->signalled_by_host({timeline, 1}));
    all = records();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[1].parked_id, 0U);
    EXPECT_EQ(all[2].outcome, TraceOutcome::CpuWait);
    EXPECT_EQ(all[2].inode, shared->dma_buf()->inode());
    EXPECT_EQ(all[2].parked_id, all[0].parked_id);
    EXPECT_GT(all[2].time_ns, all[0].time_ns);
}

TEST_P(TracedSubmit, AcquireOfAnIdleBuffer) {
    EXPECT_EQ(submit(batch_with(memory(), Direction::Acquire, Access::Read)), VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(direction_of(all[0]), TraceDirection::Acquire);
    EXPECT_EQ(all[0].outcome, TraceOutcome::Idle);
    EXPECT_EQ(all[0].source, TraceSource::None);
    EXPECT_EQ(all[0].gap_ns, 0U);
    EXPECT_GT(all[0].ioctl_ns, 0U) << "the look";
}

TEST_P(TracedSubmit, AcquireThatTheCpuWaitsFor) {
    // An empty pipe is busy for a reader, as submitter_wait_test.cpp tells.
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd reading(ends[0]);
    const UniqueFd writing(ends[1]);
    constexpr auto timeout = std::chrono::milliseconds(30);
    instance.settings.acquire_timeout = timeout;
    EXPECT_EQ(submit(batch_with(memory_on(reading.get()), Direction::Acquire, Access::Read)),
              VK_SUCCESS);
    auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].outcome, TraceOutcome::TimedOut);
    EXPECT_GE(all[0].gap_ns, std::chrono::nanoseconds(timeout).count());

    instance.settings.acquire_timeout = std::chrono::seconds(30);
    std::thread peer([&] {
        std::this_thread::sleep_for(timeout);
        EXPECT_EQ(::write(writing.get(), "x", 1), 1);
    });
    EXPECT_EQ(submit(batch_with(memory_on(reading.get()), Direction::Acquire, Access::Read)),
              VK_SUCCESS);
    peer.join();
    all = records();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].outcome, TraceOutcome::CpuWait);
}

TEST_P(TracedSubmit, RecordsAreAsManyAsTheCounters) {
    for (int i = 0; i < 3; ++i) {
        const auto shared = memory();
        VkSubmitInfo batch = batch_with(shared, Direction::Acquire, Access::Read);
        recordings.add(batch.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
        EXPECT_EQ(submit(batch), VK_SUCCESS);
    }
    EXPECT_EQ(submit_behind(batch_with(memory(), Direction::Release), 1), VK_SUCCESS);
    uint64_t acquires = 0;
    uint64_t releases = 0;
    uint64_t parked = 0;
    for (const TraceRecord& record : records()) {
        const bool is_parked = record.outcome == TraceOutcome::Parked;
        parked += is_parked ? 1 : 0;
        const bool is_release = direction_of(record) == TraceDirection::Release;
        acquires += is_release ? 0 : 1;
        releases += is_release && !is_parked ? 1 : 0;
    }
    EXPECT_EQ(acquires, counters().acquires);
    EXPECT_EQ(releases, counters().releases);
    EXPECT_EQ(parked, counters().parked);
    timelines->host_signalling();
    complete_all(timelines->signalled_by_host({timeline, 1}));
}

TEST_P(TracedSubmit, FailedSubmitLeavesNone) {
    driver.outcomes.queue_submit = {VK_ERROR_OUT_OF_DEVICE_MEMORY};
    EXPECT_NE(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    EXPECT_TRUE(records().empty());
}

TEST_P(TracedSubmit, SteadyStateAllocatesNothing) {
    const auto shared = memory();
    const VkSubmitInfo batch = batch_with(shared, Direction::Acquire, Access::Read);
    recordings.add(batch.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
    const auto submit_and_count = [&] {
        const size_t before = allocation_count();
        EXPECT_EQ(submit(batch), VK_SUCCESS);
        return allocation_count() - before;
    };
    for (int i = 0; i < 3; ++i) {
        (void)submit_and_count();
    }
    EXPECT_EQ(submit_and_count(), 0U);
    EXPECT_EQ(in_folder.contents().begun, 8U);
}

INSTANTIATE_TEST_SUITE_P(Sources, TracedSubmit,
                         testing::Values(SourceKind::Semaphore, SourceKind::Fence,
                                         SourceKind::Wait),
                         [](const auto& source) { return std::string(name(source.param)); });

class TracedOutcome : public TracedSubmit {};

TEST_P(TracedOutcome, WorkThatIsDoneAlready) {
    driver.make_sync_file = [] { return -1; };
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].outcome, TraceOutcome::Done);
    EXPECT_EQ(all[0].source, TraceSource::Semaphore);
}

TEST_P(TracedOutcome, SourceThatFails) {
    driver.outcomes.get_semaphore_fd = {VK_ERROR_TOO_MANY_OBJECTS};
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].outcome, TraceOutcome::Failed);
}

TEST_P(TracedOutcome, PresentIsToldAsOne) {
    const auto shared = memory();
    EXPECT_EQ(queue().hand_out({.waits = {},
                                .may_export_waits = false,
                                .memories = {&shared, 1},
                                .fences = {},
                                .then = {}}),
              VK_SUCCESS);
    const auto all = records();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].origin, TraceOrigin::Present);
}
INSTANTIATE_TEST_SUITE_P(Semaphore, TracedOutcome, testing::Values(SourceKind::Semaphore),
                         [](const auto& source) { return std::string(name(source.param)); });

} // namespace fencebridge::test
