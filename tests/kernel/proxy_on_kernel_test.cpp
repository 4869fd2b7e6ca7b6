// What stands on vgem: the source `proxy`, guard fences, and acquires that a thread waits for.
#include "fence/proxy_source.hpp"
#include "kernel/submit_on_kernel.hpp"
#include "support/dma_buf_ioctls.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <sys/mman.h>
#include <system_error>
#include <thread>
#include <vector>

namespace fencebridge::test {

class ProxyOnKernel : public SubmitOnKernel {
protected:
    ProxyOnKernel() : SubmitOnKernel(SourceKind::Proxy) {
        device.capabilities.fences.timelines = true;
    }
    /// `snapshot`: of the guard, before the work's fence was on the buffer, where it is now.
    void expect_ready_with_the_work(const Fd& snapshot, const Udmabuf& buffer) {
        EXPECT_EQ(counters().fences_attached, 1U);
        EXPECT_FALSE(is_ready(snapshot.get(), POLLIN));
        driver.finish_timelines();
        EXPECT_TRUE(becomes_ready(snapshot.get(), POLLIN));
        EXPECT_TRUE(becomes_ready(buffer.dma_buf(), POLLIN));
    }
    /// The threads end with the work that they wait for.
    void TearDown() override { driver.finish_timelines(); }
};

TEST_F(ProxyOnKernel, BufferHoldsReadersUntilTheWorkIsDone) {
    const Udmabuf buffer;
    const VkSubmitInfo app = batch_with(memory_on(buffer.dma_buf()), Direction::Release);
    EXPECT_EQ(submit(app, driver.application_fence()), VK_SUCCESS);
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLIN));
    EXPECT_EQ(counters().fences_attached, 1U);
    ASSERT_EQ(driver.submits.size(), 1U) << "a timeline needs no submit of its own";
    EXPECT_EQ(driver.submits[0].batches[0].signal_values, (std::vector<uint64_t>{1}));
    EXPECT_EQ(app.signalSemaphoreCount, 0U);
    driver.finish_timelines();
    EXPECT_TRUE(becomes_ready(buffer.dma_buf(), POLLOUT));
}

TEST_F(ProxyOnKernel, ReadBufferHoldsWritersOnly) {
    const Udmabuf buffer;
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release, Access::Read)),
              VK_SUCCESS);
    EXPECT_TRUE(is_ready(buffer.dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLOUT));
}

TEST_F(ProxyOnKernel, WorkEndsInItsOrder) {
    const Udmabuf first;
    const Udmabuf second;
    EXPECT_EQ(submit(batch_with(memory_on(first.dma_buf()), Direction::Release)), VK_SUCCESS);
    driver.finish_timelines();
    EXPECT_EQ(submit(batch_with(memory_on(second.dma_buf()), Direction::Release)), VK_SUCCESS);
    EXPECT_TRUE(becomes_ready(first.dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(second.dma_buf(), POLLIN));
}

TEST_F(ProxyOnKernel, DeviceWithoutTimelinesHasAFenceInTheSlotOrBehind) {
    device.capabilities.fences.timelines = false;
    const Udmabuf buffer;
    const VkSubmitInfo app = batch_with(memory_on(buffer.dma_buf()), Direction::Release);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_NE(driver.submits[0].fence, VkFence{VK_NULL_HANDLE});
    // A fence whose life is limited must not stand for the application's own.
    const VkFence own = driver.application_fence();
    EXPECT_EQ(submit(app, own), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 3U);
    EXPECT_EQ(driver.submits[1].fence, own);
    EXPECT_TRUE(driver.submits[2].batches.empty());
    EXPECT_TRUE(driver.fence_imports.empty());
    EXPECT_TRUE(becomes_ready(buffer.dma_buf(), POLLIN));
}

TEST_F(ProxyOnKernel, FailedSubmitLeavesNoFence) {
    const Udmabuf buffer;
    device.guard.on = true;
    driver.outcomes.queue_submit = {VK_ERROR_OUT_OF_DEVICE_MEMORY};
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release)),
              VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_TRUE(is_ready(buffer.dma_buf(), POLLOUT));
}

/// Who takes a snapshot of the fences while there is none but the guard waits for the work all the
/// same.
TEST_F(ProxyOnKernel, GuardSignalsWithTheWork) {
    device.guard.on = true;
    const Udmabuf buffer;
    Fd snapshot;
    driver.on_submit = [&] {
        snapshot = export_sync_file(buffer.dma_buf(), DMA_BUF_SYNC_READ).sync_file;
    };
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release)), VK_SUCCESS);
    EXPECT_EQ(counters().guarded, 1U);
    expect_ready_with_the_work(snapshot, buffer);
}

/// The same of a release that is put off behind a peer.
TEST_F(ProxyOnKernel, GuardOfAParkedReleaseSignalsWithTheWork) {
    device.guard.on = true;
    device.acquire.method = AcquireMethod::Thread;
    const Udmabuf buffer;
    const auto shared = memory_on(buffer.dma_buf());
    VgemFence peer = peer_begins(buffer, Usage::Write);
    VkSubmitInfo app = batch_with(shared, Direction::Acquire);
    recordings.add(app.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(counters().parked, 1U);
    const Fd snapshot = export_sync_file(buffer.dma_buf(), DMA_BUF_SYNC_READ).sync_file;
    EXPECT_EQ(peer.signal(), 0);
    for (int i = 0; counters().fences_attached == 0 && i < 1000; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    expect_ready_with_the_work(snapshot, buffer);
}

/// What takes no fence (a memfd, no dma-buf): the wait is for the work, not for the proxy's own
/// limit.
TEST_F(ProxyOnKernel, WorkIsWaitedForWhereItsFenceCannotBeAttached) {
    const UniqueFd no_dma_buf(::memfd_create("no dma-buf", MFD_CLOEXEC));
    const VkSubmitInfo app = batch_with(memory_on(no_dma_buf.get()), Direction::Release);
    std::atomic<bool> has_returned = false;
    std::thread gpu([&] {
        while (!has_returned) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            driver.finish_timelines();
        }
    });
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_EQ(submit(app), VK_SUCCESS);
    has_returned = true;
    gpu.join();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, Vgem::time_limit / 2);
    EXPECT_EQ(counters().fences_attached, 0U);
    EXPECT_EQ(counters().fallbacks, 1U);
}

/// The kernel ends a vgem fence after ten seconds, whatever it stands for.
TEST_F(ProxyOnKernel, WorkThatOutlivesAFenceIsNeverSeenWithoutOne) {
    const Udmabuf buffer;
    ProxySource source(device.calls(), Vgem::open(), true);
    const auto ticket = source.begin(VK_NULL_HANDLE);
    ASSERT_TRUE(ticket);
    ProxyFence no_guard;
    const AttachTarget target{DmaBuf::of(buffer.dma_buf()), Access::Write};
    Completion completion = source.take(*ticket, {&target, 1}, no_guard);
    ASSERT_EQ(completion.state, Completion::State::Pending);
    ASSERT_EQ(target.buffer->attach_fence(completion.sync_file.get(), Access::Write), 0);
    const UniqueFd sync_file = UniqueFd::duplicate(completion.sync_file.get());
    EXPECT_EQ(source.attached(std::move(completion)), nullptr);

    const auto until =
        std::chrono::steady_clock::now() + Vgem::time_limit + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < until) {
        ASSERT_FALSE(is_ready(buffer.dma_buf(), POLLIN));
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_TRUE(is_signalled(sync_file.get())) << "the kernel's limit is what this test is about";
    const VkSemaphoreSignalInfo done{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                     .semaphore = ticket->signal.semaphore,
                                     .value = ticket->signal.value + 1};
    EXPECT_EQ(driver.table.SignalSemaphore(driver.device(), &done), VK_SUCCESS);
    EXPECT_TRUE(becomes_ready(buffer.dma_buf(), POLLIN));

    // From now on this queue is waited for.
    const auto next = source.begin(VK_NULL_HANDLE);
    const Completion waited = source.take(*next, {&target, 1}, no_guard);
    EXPECT_EQ(waited.state, Completion::State::Done);
    EXPECT_NE(waited.fallback, nullptr);
}

/// The source alone, with work that is over at once.
class FenceMadeAhead : public ProxyOnKernel {
protected:
    /// A fence for the next work; with the descriptor that it has, for as long as it lives.
    Completion take() {
        ticket_ = source.begin(VK_NULL_HANDLE).value_or(Ticket{});
        ProxyFence no_guard;
        return source.take(ticket_, {&target, 1}, no_guard);
    }
    /// The work of the last take() is over. The descriptor of the fence that the thread then makes
    /// for the next; -1: none has come.
    int finish(Completion completion) {
        completion.sync_file.reset();
        EXPECT_EQ(source.attached(std::move(completion)), nullptr);
        const VkSemaphoreSignalInfo done{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                         .semaphore = ticket_.signal.semaphore,
                                         .value = ticket_.signal.value};
        EXPECT_EQ(driver.table.SignalSemaphore(driver.device(), &done), VK_SUCCESS);
        for (int i = 0; i < 1000; ++i) {
            for (const int open : open_sync_files()) {
                if (open != work->sync_file() && !is_signalled(open)) {
                    return open;
                }
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return -1;
    }
    static std::vector<int> open_sync_files() {
        std::vector<int> found;
        for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
            std::error_code gone;
            if (std::filesystem::read_symlink(entry, gone) == "anon_inode:sync_file") {
                found.push_back(std::stoi(entry.path().filename()));
            }
        }
        return found;
    }

    const Udmabuf buffer;
    ProxySource source{device.calls(), Vgem::open(), true};
    const AttachTarget target{DmaBuf::of(buffer.dma_buf()), Access::Write};

private:
    Ticket ticket_;
};

/// On a machine so busy that the thread, or this one, comes late, a work has a fence of its own.
TEST_F(FenceMadeAhead, IsTheNextWorks) {
    int in_time = 0;
    int made = finish(take());
    for (int frame = 0; frame < 20; ++frame) {
        ASSERT_GE(made, 0);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        Completion next = take();
        EXPECT_FALSE(is_signalled(next.sync_file.get()));
        in_time += next.sync_file.get() == made ? 1 : 0;
        made = finish(std::move(next));
    }
    EXPECT_GE(in_time, 1);
}

TEST_F(FenceMadeAhead, IsNobodysWhenItOutlivesItsTime) {
    const int made = finish(take());
    ASSERT_GE(made, 0);
    std::this_thread::sleep_for(Vgem::time_limit + std::chrono::milliseconds(500));
    EXPECT_TRUE(is_signalled(made)) << "the kernel's limit is what this test is about";
    Completion next = take();
    EXPECT_NE(next.sync_file.get(), made);
    EXPECT_FALSE(is_signalled(next.sync_file.get()));
    EXPECT_GE(finish(std::move(next)), 0) << "the thread has not replaced it";
}

/// With each of the sources that could leave a gap.
class GuardOnKernel : public SubmitOnKernel, public testing::WithParamInterface<SourceKind> {
protected:
    GuardOnKernel() : SubmitOnKernel(GetParam()) { device.capabilities.fences.timelines = true; }
    void TearDown() override { driver.finish_timelines(); }

    /// Whether a reader would find the buffer ready in the middle of the driver's submit.
    bool is_ready_in_submit(Access access = Access::Write, short events = POLLIN) {
        const Udmabuf buffer;
        bool ready = false;
        driver.on_submit = [&] { ready = is_ready(buffer.dma_buf(), events); };
        EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release, access)),
                  VK_SUCCESS);
        driver.on_submit = {};
        // The guard is gone, what holds the buffer now is the work's own fence.
        driver.finish_timelines();
        if (work) {
            EXPECT_EQ(work->signal(), 0);
        }
        EXPECT_TRUE(becomes_ready(buffer.dma_buf(), POLLOUT));
        return ready;
    }
};

TEST_P(GuardOnKernel, NoReaderFindsTheBufferReadyDuringTheSubmit) {
    device.guard.on = true;
    EXPECT_FALSE(is_ready_in_submit());
    EXPECT_EQ(counters().guarded, 1U);
}
TEST_P(GuardOnKernel, ReadBufferIsGuardedAgainstWritersOnly) {
    device.guard.on = true;
    EXPECT_TRUE(is_ready_in_submit(Access::Read, POLLIN));
    EXPECT_EQ(counters().guarded, 1U);
}
TEST_P(GuardOnKernel, OffLeavesAGap) {
    EXPECT_TRUE(is_ready_in_submit()) << "the test with the guard would prove nothing";
    EXPECT_EQ(counters().guarded, 0U);
}
INSTANTIATE_TEST_SUITE_P(Sources, GuardOnKernel,
                         testing::Values(SourceKind::Semaphore, SourceKind::Fence,
                                         SourceKind::Proxy, SourceKind::Wait),
                         [](const auto& source) { return name(source.param); });

class ThreadOnKernel : public SubmitOnKernel {
protected:
    ThreadOnKernel() {
        device.capabilities.fences.timelines = true;
        device.acquire.method = AcquireMethod::Thread;
    }

    VkSemaphore timeline() const { return driver.submits.at(0).batches.at(0).waits.at(0); }
    bool timeline_reaches(uint64_t value) {
        for (int i = 0; i < 1000; ++i) {
            if (driver.counter(timeline()) >= value) {
                return true;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        return false;
    }
};

TEST_F(ThreadOnKernel, BatchWaitsForATimelineThatThePeersFenceMoves) {
    const Udmabuf buffer;
    VgemFence peer = peer_begins(buffer, Usage::Write);
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Acquire)), VK_SUCCESS);
    EXPECT_EQ(driver.submits[0].batches[0].wait_values, (std::vector<uint64_t>{1}));
    EXPECT_EQ(counters().waits_on_thread, 1U);
    EXPECT_EQ(driver.counter(timeline()), 0U);
    EXPECT_EQ(peer.signal(), 0);
    EXPECT_TRUE(timeline_reaches(1));
}

TEST_F(ThreadOnKernel, PeerThatNeverFinishesHoldsUsNoLongerThanTheSettingSays) {
    instance.settings.acquire_timeout = std::chrono::milliseconds(50);
    const Udmabuf buffer;
    const VgemFence peer = peer_begins(buffer, Usage::Write);
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Acquire)), VK_SUCCESS);
    EXPECT_TRUE(timeline_reaches(1));
}

/// Work behind a value that the host signals has no fence yet: it is exported when the peer is
/// done, and the guard stands in until then.
TEST_F(ThreadOnKernel, ReleaseBehindItIsParkedAndGuarded) {
    device.guard.on = true;
    const Udmabuf buffer;
    const auto shared = memory_on(buffer.dma_buf());
    VgemFence peer = peer_begins(buffer, Usage::Write);
    VkSubmitInfo app = batch_with(shared, Direction::Acquire);
    recordings.add(app.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR"), 0U) << "an export would be invalid";
    EXPECT_EQ(counters().parked, 1U);
    EXPECT_EQ(peer.signal(), 0);
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLIN)) << "the work has not even begun";
    EXPECT_TRUE(timeline_reaches(1));
    queue().stop();
    EXPECT_EQ(counters().fences_attached, 1U);
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLIN));
    EXPECT_EQ(work->signal(), 0);
    EXPECT_TRUE(is_ready(buffer.dma_buf(), POLLIN));
}

} // namespace fencebridge::test
