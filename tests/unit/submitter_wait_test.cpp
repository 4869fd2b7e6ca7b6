// Fence source `wait`, and acquires that only the CPU can wait for.
#include "unit/submitter_test.hpp"

#include <array>
#include <atomic>
#include <barrier>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace fencebridge::test {

class WaitSubmit : public SubmitterTest {
protected:
    WaitSubmit() : SubmitterTest(SourceKind::Wait) {}

    /// An empty pipe is busy for a reader (POLLIN is not ready) until a byte is in it, has an inode
    /// of its own, and answers ENOTTY to the ioctls: a dma-buf of an old kernel, as far as poll()
    /// goes.
    struct Pipe {
        UniqueFd reading;
        UniqueFd writing;
        Pipe() {
            std::array<int, 2> ends{};
            EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
            reading.reset(ends[0]);
            writing.reset(ends[1]);
        }
        void peer_finishes() const { EXPECT_EQ(::write(writing.get(), "x", 1), 1); }
    };
};

TEST_F(WaitSubmit, WaitsOnTheApplicationsOwnFenceAndLeavesItSignalled) {
    const VkFence app_fence = driver.application_fence();
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    EXPECT_EQ(submit(app, app_fence), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.submits[0].structures, &app);
    EXPECT_EQ(driver.submits[0].fence, app_fence);
    EXPECT_EQ(driver.calls, (std::vector<std::string>{"QueueSubmit", "WaitForFences"}));
    EXPECT_TRUE(driver.will_signal(app_fence));
    EXPECT_EQ(counters().releases_done, 1U);
}

TEST_F(WaitSubmit, WaitsOnAPooledFenceInAFreeSlot) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Release);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(submit(app), VK_SUCCESS);
    }
    EXPECT_EQ(driver.submits.size(), 3U);
    EXPECT_EQ(driver.count("CreateFence"), 1U);
    EXPECT_EQ(driver.count("WaitForFences"), 3U);
    EXPECT_EQ(driver.count("ResetFences"), 3U);
}

TEST_F(WaitSubmit, LostDeviceEndsTheWait) {
    driver.outcomes.wait_for_fences = {VK_ERROR_DEVICE_LOST};
    driver.outcomes.queue_wait_idle = {VK_ERROR_DEVICE_LOST};
    EXPECT_EQ(submit(batch_with(memory(), Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(counters().releases, 1U);
}

TEST_F(WaitSubmit, AcquireOfAnIdleBufferAddsNothing) {
    const VkSubmitInfo app = batch_with(memory(), Direction::Acquire, Access::Read);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.calls, std::vector<std::string>{"QueueSubmit"});
    EXPECT_EQ(driver.submits[0].structures, &app);
    EXPECT_EQ(counters().acquires_idle, 1U);
}

TEST_F(WaitSubmit, BusyBufferOfAnOldKernelIsWaitedForBeforeTheSubmit) {
    const Pipe buffer;
    const VkSubmitInfo app =
        batch_with(memory_on(buffer.reading.get()), Direction::Acquire, Access::Read);
    std::atomic<bool> finished = false;
    std::thread peer([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        finished = true;
        buffer.peer_finishes();
    });
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_TRUE(finished) << "the work was submitted before the peer had finished";
    EXPECT_EQ(counters().waits_on_cpu, 1U);
    EXPECT_EQ(counters().fallbacks, 1U);
    peer.join();
}

TEST_F(WaitSubmit, PeerThatNeverFinishesHoldsUsNoLongerThanTheSettingSays) {
    const Pipe buffer;
    instance.settings.acquire_timeout = std::chrono::milliseconds(30);
    const VkSubmitInfo app =
        batch_with(memory_on(buffer.reading.get()), Direction::Acquire, Access::Read);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.submits.size(), 1U);
}

TEST_F(WaitSubmit, AcquireAndReleaseOfOneBufferInOneSubmit) {
    const auto shared = memory();
    VkSubmitInfo app = batch_with(shared, Direction::Acquire);
    recordings.add(app.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(counters().acquires, 1U);
    EXPECT_EQ(counters().releases, 1U);
}

TEST_F(WaitSubmit, QueuesThatHandOffTheSameBuffersDoNotBlockEachOther) {
    // Each submit locks its dma-bufs from acquire to release: in one order, or two threads
    // deadlock.
    const auto a = memory();
    const auto b = memory();
    const std::array one_way{batch_with(a, Direction::Release), batch_with(b, Direction::Release)};
    const std::array other_way{batch_with(b, Direction::Release),
                               batch_with(a, Direction::Release)};
    QueueSubmitter& first = queue(0);
    QueueSubmitter& second = queue(1);
    constexpr int rounds = 3000;
    std::barrier start(2);
    std::thread thread([&] {
        start.arrive_and_wait();
        for (int i = 0; i < rounds; ++i) {
            EXPECT_EQ(first.submit(one_way, VK_NULL_HANDLE), VK_SUCCESS);
        }
    });
    start.arrive_and_wait();
    for (int i = 0; i < rounds; ++i) {
        EXPECT_EQ(second.submit(other_way, VK_NULL_HANDLE), VK_SUCCESS);
    }
    thread.join();
    EXPECT_EQ(counters().releases, 4U * rounds);
}

} // namespace fencebridge::test
