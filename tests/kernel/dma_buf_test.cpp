// The layer's DmaBuf against the kernel: what it attaches peers see, what peers attach it sees.
#include "fence/dma_buf.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/few_descriptors.hpp"
#include "support/readiness.hpp"
#include "support/signal_storm.hpp"
#include "support/sync_file_info.hpp"
#include "support/udmabuf.hpp"
#include "support/vgem.hpp"

#include <gtest/gtest.h>
#include <linux/dma-buf.h>

#include <cerrno>
#include <optional>
#include <sys/mman.h>
#include <thread>

namespace fencebridge::test {

using std::chrono::milliseconds;

class DmaBufOnKernel : public testing::Test {
protected:
    void SetUp() override {
        for (const std::string& missing : {missing_vgem(), missing_udmabuf()}) {
            if (!missing.empty()) {
                GTEST_SKIP() << missing;
            }
        }
        peer_.emplace();
        ours = DmaBuf::of(peer_->dma_buf());
        ASSERT_NE(ours, nullptr);
    }

    /// The peer's own descriptor of the same buffer, which the layer's code never touches.
    int peers_fd() const { return peer_->dma_buf(); }

    VgemFence peer_begins(Usage usage) const {
        VgemFence work = pending_fence();
        EXPECT_EQ(import_sync_file(peers_fd(), work.sync_file(),
                                   usage == Usage::Write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ),
                  0);
        return work;
    }

    std::shared_ptr<DmaBuf> ours;

private:
    std::optional<Udmabuf> peer_;
};

TEST_F(DmaBufOnKernel, ProbeSaysFullAndLeavesNothingPending) {
    EXPECT_EQ(ours->probe(), KernelSupport::Full);
    EXPECT_TRUE(is_ready(peers_fd(), POLLIN));
    EXPECT_TRUE(is_ready(peers_fd(), POLLOUT));
}

TEST_F(DmaBufOnKernel, ProbeOfABusyBufferChangesNothingForAnyPeer) {
    VgemFence writer = peer_begins(Usage::Write);
    const size_t before = open_descriptors();
    EXPECT_EQ(ours->probe(), KernelSupport::Full);
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_FALSE(is_ready(peers_fd(), POLLIN));
    ASSERT_EQ(writer.signal(), 0);
    EXPECT_TRUE(is_ready(peers_fd(), POLLIN));
    EXPECT_TRUE(is_ready(peers_fd(), POLLOUT));
}

TEST_F(DmaBufOnKernel, ProbeWithoutDescriptorsSaysUnknownRatherThanUnsupported) {
    const NoMoreDescriptors limit;
    EXPECT_EQ(ours->probe(), KernelSupport::Unknown);
}

TEST_F(DmaBufOnKernel, WriteFenceHoldsReadersAndWriters) {
    VgemFence work = pending_fence();
    ASSERT_EQ(ours->attach_fence(work.sync_file(), Access::Write), 0);
    EXPECT_FALSE(is_ready(peers_fd(), POLLIN));
    EXPECT_FALSE(is_ready(peers_fd(), POLLOUT));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(peers_fd(), POLLIN));
}

TEST_F(DmaBufOnKernel, ReadFenceHoldsWritersOnly) {
    VgemFence work = pending_fence();
    ASSERT_EQ(ours->attach_fence(work.sync_file(), Access::Read), 0);
    EXPECT_TRUE(is_ready(peers_fd(), POLLIN));
    EXPECT_FALSE(is_ready(peers_fd(), POLLOUT));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(peers_fd(), POLLOUT));
}

TEST_F(DmaBufOnKernel, ReaderWaitsForAPeersWriterOnly) {
    VgemFence reader = peer_begins(Usage::Read);
    EXPECT_TRUE(ours->is_idle(Access::Read));
    EXPECT_TRUE(is_signalled(ours->export_fences(Access::Read).get()));
    VgemFence writer = peer_begins(Usage::Write);
    EXPECT_FALSE(ours->is_idle(Access::Read));
    const UniqueFd fences = ours->export_fences(Access::Read);
    ASSERT_TRUE(fences);
    EXPECT_FALSE(is_signalled(fences.get()));
    ASSERT_EQ(writer.signal(), 0);
    EXPECT_TRUE(is_signalled(fences.get()))
        << "the peer's reader is nothing that a reader waits for";
    EXPECT_TRUE(ours->is_idle(Access::Read));
    EXPECT_FALSE(ours->is_idle(Access::Write));
    ASSERT_EQ(reader.signal(), 0);
}

TEST_F(DmaBufOnKernel, WriterWaitsForAPeersReaderToo) {
    VgemFence reader = peer_begins(Usage::Read);
    VgemFence writer = peer_begins(Usage::Write);
    const UniqueFd fences = ours->export_fences(Access::Write);
    ASSERT_TRUE(fences);
    ASSERT_EQ(writer.signal(), 0);
    EXPECT_FALSE(is_signalled(fences.get()));
    EXPECT_FALSE(ours->is_idle(Access::Write));
    ASSERT_EQ(reader.signal(), 0);
    EXPECT_TRUE(is_signalled(fences.get()));
    EXPECT_TRUE(ours->is_idle(Access::Write));
}

TEST_F(DmaBufOnKernel, WaitIdleTimesOutOnABusyBuffer) {
    const VgemFence writer = peer_begins(Usage::Write);
    EXPECT_EQ(ours->wait_idle(Access::Read, milliseconds(0)), SyncWait::TimedOut);
    EXPECT_EQ(ours->wait_idle(Access::Read, milliseconds(20)), SyncWait::TimedOut);
}

TEST_F(DmaBufOnKernel, WaitIdleEndsWhenThePeerHasFinished) {
    VgemFence writer = peer_begins(Usage::Write);
    std::thread peer([&] { EXPECT_EQ(writer.signal(), 0); });
    EXPECT_EQ(ours->wait_idle(Access::Write, milliseconds(-1)), SyncWait::Signalled);
    peer.join();
}

TEST_F(DmaBufOnKernel, ExportWithoutDescriptorsIsNoneAndSaysWhy) {
    const NoMoreDescriptors limit;
    errno = 0;
    EXPECT_FALSE(ours->export_fences(Access::Write));
    EXPECT_EQ(errno, EMFILE);
}

TEST_F(DmaBufOnKernel, AttachRefusesWhatIsNoSyncFile) {
    EXPECT_EQ(ours->attach_fence(peers_fd(), Access::Write), EINVAL);
    EXPECT_EQ(ours->attach_fence(-1, Access::Write), EINVAL);
}

TEST_F(DmaBufOnKernel, SignalsDoNotDisturbIt) {
    VgemFence work = pending_fence();
    const SignalStorm storm;
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(ours->attach_fence(work.sync_file(), Access::Write), 0);
        ASSERT_TRUE(ours->export_fences(Access::Write));
    }
    EXPECT_EQ(ours->wait_idle(Access::Read, milliseconds(50)), SyncWait::TimedOut);
    EXPECT_GT(storm.signals(), 0);
}

// No dma-buf at all stands for a kernel without the ioctls: both answer ENOTTY.
TEST(DmaBufWithoutIoctls, ProbeSaysUnsupported) {
    const Fd memory(::memfd_create("not a dma-buf", MFD_CLOEXEC));
    const auto buffer = DmaBuf::of(memory.get());
    ASSERT_NE(buffer, nullptr);
    EXPECT_EQ(buffer->probe(), KernelSupport::Unsupported);
    errno = 0;
    EXPECT_FALSE(buffer->export_fences(Access::Read));
    EXPECT_EQ(errno, ENOTTY);
    EXPECT_EQ(buffer->attach_fence(memory.get(), Access::Write), ENOTTY);
}

} // namespace fencebridge::test
