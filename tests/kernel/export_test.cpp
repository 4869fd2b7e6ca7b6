// EXPORT_SYNC_FILE, in the shapes of igt's dmabuf_sync_file: export-basic, export-before-signal,
// export-multiwait, export-wait-after-attach.
#include "kernel/exporter.hpp"
#include "support/readiness.hpp"
#include "support/sync_file_info.hpp"

#include <linux/dma-buf.h>

#include <fcntl.h>
#include <vector>

namespace fencebridge::test {

TEST_P(DmaBufFences, ExportBasic) {
    // No work, nothing to wait for: a signalled stub, not an error.
    EXPECT_TRUE(sync_file_info(exported(dma_buf(), DMA_BUF_SYNC_READ).get()).is_signalled());
    EXPECT_TRUE(sync_file_info(exported(dma_buf(), DMA_BUF_SYNC_WRITE).get()).is_signalled());

    VgemFence work = target().begin_work(Usage::Write);
    const Fd for_reader = exported(dma_buf(), DMA_BUF_SYNC_READ);
    const Fd for_writer = exported(dma_buf(), DMA_BUF_SYNC_WRITE);
    EXPECT_TRUE(sync_file_info(for_reader.get()).is_pending());
    EXPECT_TRUE(sync_file_info(for_writer.get()).is_pending());
    EXPECT_EQ(sync_file_info(for_reader.get()).drivers, std::vector<std::string>{"vgem"});
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));

    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(sync_file_info(for_reader.get()).is_signalled());
    EXPECT_TRUE(sync_file_info(for_writer.get()).is_signalled());
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_P(DmaBufFences, ExportBeforeSignal) {
    // Read-only work: a reader need not wait for it, a writer must.
    VgemFence work = target().begin_work(Usage::Read);
    const Fd for_reader = exported(dma_buf(), DMA_BUF_SYNC_READ);
    const Fd for_writer = exported(dma_buf(), DMA_BUF_SYNC_WRITE);
    const Fd for_both = exported(dma_buf(), DMA_BUF_SYNC_RW);
    EXPECT_TRUE(is_ready(for_reader.get(), POLLIN));
    EXPECT_FALSE(is_ready(for_writer.get(), POLLIN));
    EXPECT_FALSE(is_ready(for_both.get(), POLLIN));
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));

    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(for_writer.get(), POLLIN));
    EXPECT_TRUE(is_ready(for_both.get(), POLLIN));
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_P(DmaBufFences, ExportMultiwait) {
    VgemFence work = target().begin_work(Usage::Write);
    std::vector<Fd> waiters;
    for (int i = 0; i < 8; ++i) {
        waiters.push_back(exported(dma_buf(), DMA_BUF_SYNC_READ));
        waiters.push_back(exported(dma_buf(), DMA_BUF_SYNC_WRITE));
    }
    for (const Fd& waiter : waiters) {
        EXPECT_FALSE(is_ready(waiter.get(), POLLIN));
    }
    ASSERT_EQ(work.signal(), 0);
    for (const Fd& waiter : waiters) {
        EXPECT_TRUE(is_ready(waiter.get(), POLLIN));
    }
}

TEST_P(DmaBufFences, ExportWaitAfterAttach) {
    // A snapshot: work that begins afterwards is not in it.
    const Fd before = exported(dma_buf(), DMA_BUF_SYNC_WRITE);
    VgemFence work = target().begin_work(Usage::Write);
    const Fd after = exported(dma_buf(), DMA_BUF_SYNC_WRITE);
    EXPECT_TRUE(is_ready(before.get(), POLLIN));
    EXPECT_FALSE(is_ready(after.get(), POLLIN));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(after.get(), POLLIN));
}

TEST_P(DmaBufFences, ExportedDescriptorIsCloexec) {
    const Fd sync_file = exported(dma_buf(), DMA_BUF_SYNC_READ);
    EXPECT_NE(::fcntl(sync_file.get(), F_GETFD) & FD_CLOEXEC, 0);
}

} // namespace fencebridge::test
