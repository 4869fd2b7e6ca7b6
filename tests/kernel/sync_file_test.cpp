// The layer's sync_file functions against real fences.
#include "fence/sync_file.hpp"
#include "support/few_descriptors.hpp"
#include "support/signal_storm.hpp"
#include "support/sync_file_info.hpp"
#include "support/vgem.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <sys/mman.h>
#include <thread>

namespace fencebridge::test {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class SyncFile : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
};

TEST_F(SyncFile, MergedSignalsWhenBothHave) {
    VgemFence a = pending_fence();
    VgemFence b = pending_fence();
    const UniqueFd both = merge_sync_files(a.sync_file(), b.sync_file());
    ASSERT_TRUE(both);
    EXPECT_EQ(sync_file_info(both.get()).fence_count, 2U);
    ASSERT_EQ(a.signal(), 0);
    EXPECT_FALSE(is_signalled(both.get()));
    ASSERT_EQ(b.signal(), 0);
    EXPECT_TRUE(is_signalled(both.get()));
}

TEST_F(SyncFile, MergeBorrowsItsInputs) {
    const VgemFence a = pending_fence();
    const VgemFence b = pending_fence();
    {
        const UniqueFd both = merge_sync_files(a.sync_file(), b.sync_file());
    }
    EXPECT_TRUE(sync_file_info(a.sync_file()).is_pending());
    EXPECT_TRUE(sync_file_info(b.sync_file()).is_pending());
}

TEST_F(SyncFile, MergeFailsWithoutDescriptors) {
    const VgemFence a = pending_fence();
    const VgemFence b = pending_fence();
    const size_t before = open_descriptors();
    {
        const NoMoreDescriptors limit;
        errno = 0;
        EXPECT_FALSE(merge_sync_files(a.sync_file(), b.sync_file()));
        EXPECT_EQ(errno, EMFILE);
    }
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SyncFile, MergeRefusesSomethingElse) {
    const VgemFence a = pending_fence();
    const Fd memory(::memfd_create("not a sync_file", MFD_CLOEXEC));
    EXPECT_FALSE(merge_sync_files(a.sync_file(), memory.get()));
    EXPECT_FALSE(merge_sync_files(memory.get(), a.sync_file()));
}

TEST_F(SyncFile, WaitTimesOutWhilePending) {
    const VgemFence fence = pending_fence();
    EXPECT_EQ(wait_sync_file(fence.sync_file(), milliseconds(0)), SyncWait::TimedOut);
    EXPECT_EQ(wait_sync_file(fence.sync_file(), milliseconds(20)), SyncWait::TimedOut);
    EXPECT_FALSE(is_signalled(fence.sync_file()));
}

TEST_F(SyncFile, WaitEndsWhenItSignals) {
    VgemFence fence = pending_fence();
    std::thread signaller([&] { EXPECT_EQ(fence.signal(), 0); });
    EXPECT_EQ(wait_sync_file(fence.sync_file(), milliseconds(-1)), SyncWait::Signalled);
    signaller.join();
    EXPECT_EQ(wait_sync_file(fence.sync_file(), milliseconds(0)), SyncWait::Signalled);
}

TEST_F(SyncFile, SignalStormNeitherEndsNorShortensAWait) {
    const VgemFence fence = pending_fence();
    const SignalStorm storm;
    const milliseconds timeout(200);
    const auto began = steady_clock::now();
    EXPECT_EQ(wait_sync_file(fence.sync_file(), timeout), SyncWait::TimedOut);
    EXPECT_GE(steady_clock::now() - began, timeout);
    EXPECT_GT(storm.signals(), 0) << "nothing interrupted the wait: this proved nothing";
}

TEST_F(SyncFile, SignalStormDoesNotHideTheSignal) {
    VgemFence fence = pending_fence();
    const SignalStorm storm;
    std::thread signaller([&] {
        std::this_thread::sleep_for(milliseconds(50));
        EXPECT_EQ(fence.signal(), 0);
    });
    EXPECT_EQ(wait_sync_file(fence.sync_file(), milliseconds(-1)), SyncWait::Signalled);
    signaller.join();
}

TEST(SyncFileOfNothing, WaitFailsAndNothingIsPending) {
    const int closed = Fd(::dup(STDERR_FILENO)).get();
    EXPECT_EQ(wait_sync_file(closed, milliseconds(-1)), SyncWait::Failed);
    EXPECT_TRUE(is_signalled(closed));
}

} // namespace fencebridge::test
