// IMPORT_SYNC_FILE, in the shapes of igt's dmabuf_sync_file: import-basic,
// import-multiple-read-only, import-multiple-read-write; and that it adds and never replaces.
#include "kernel/exporter.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"
#include "support/sync_file_info.hpp"

#include <linux/dma-buf.h>

#include <vector>

namespace fencebridge::test {

TEST_P(DmaBufFences, ImportBasic) {
    VgemFence writer = pending_fence();
    ASSERT_EQ(import_sync_file(dma_buf(), writer.sync_file(), DMA_BUF_SYNC_WRITE), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));
    const Fd for_reader = exported(dma_buf(), DMA_BUF_SYNC_READ);
    EXPECT_TRUE(sync_file_info(for_reader.get()).is_pending());

    ASSERT_EQ(writer.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
    EXPECT_TRUE(sync_file_info(for_reader.get()).is_signalled());
}

TEST_P(DmaBufFences, ImportMultipleReadOnly) {
    std::vector<VgemFence> readers;
    for (int i = 0; i < 5; ++i) {
        readers.push_back(pending_fence());
        ASSERT_EQ(import_sync_file(dma_buf(), readers.back().sync_file(), DMA_BUF_SYNC_READ), 0);
        EXPECT_TRUE(is_ready(dma_buf(), POLLIN)) << "readers must not wait for readers";
        EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));
    }
    // A writer waits for every one of them, the last one included.
    for (VgemFence& reader : readers) {
        EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));
        ASSERT_EQ(reader.signal(), 0);
        EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    }
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_P(DmaBufFences, ImportMultipleReadWrite) {
    VgemFence first_reader = pending_fence();
    VgemFence writer = pending_fence();
    VgemFence second_reader = pending_fence();
    ASSERT_EQ(import_sync_file(dma_buf(), first_reader.sync_file(), DMA_BUF_SYNC_READ), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    ASSERT_EQ(import_sync_file(dma_buf(), writer.sync_file(), DMA_BUF_SYNC_WRITE), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    ASSERT_EQ(import_sync_file(dma_buf(), second_reader.sync_file(), DMA_BUF_SYNC_READ), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));

    // Readers gone, the writer holds both.
    ASSERT_EQ(first_reader.signal(), 0);
    ASSERT_EQ(second_reader.signal(), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));
    ASSERT_EQ(writer.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_P(DmaBufFences, ReadWriteImportCountsAsWrite) {
    VgemFence work = pending_fence();
    ASSERT_EQ(import_sync_file(dma_buf(), work.sync_file(), DMA_BUF_SYNC_RW), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
}

TEST_P(DmaBufFences, ImportNeverReplaces) {
    // The promise that the ioctl was merged on: userspace cannot drop somebody else's fence.
    VgemFence theirs = target().begin_work(Usage::Write);
    VgemFence done = pending_fence();
    ASSERT_EQ(done.signal(), 0);
    ASSERT_EQ(import_sync_file(dma_buf(), done.sync_file(), DMA_BUF_SYNC_WRITE), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    ASSERT_EQ(theirs.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
}

TEST_P(DmaBufFences, ImportOfMergedFenceWaitsForBoth) {
    VgemFence first = pending_fence();
    VgemFence second = pending_fence();
    {
        const Fd both = merged(first.sync_file(), second.sync_file());
        ASSERT_EQ(import_sync_file(dma_buf(), both.get(), DMA_BUF_SYNC_WRITE), 0);
    }
    ASSERT_EQ(second.signal(), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    ASSERT_EQ(first.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
}

TEST_P(DmaBufFences, ImportDoesNotConsumeTheDescriptor) {
    VgemFence work = pending_fence();
    ASSERT_EQ(import_sync_file(dma_buf(), work.sync_file(), DMA_BUF_SYNC_WRITE), 0);
    EXPECT_TRUE(sync_file_info(work.sync_file()).is_pending());
    const Target another(GetParam());
    EXPECT_EQ(import_sync_file(another.dma_buf(), work.sync_file(), DMA_BUF_SYNC_WRITE), 0);
    EXPECT_FALSE(is_ready(another.dma_buf(), POLLIN));
}

TEST_P(DmaBufFences, AttachedFenceOutlivesItsSyncFile) {
    VgemFence work = pending_fence();
    {
        const Fd passing(::dup(work.sync_file()));
        ASSERT_EQ(import_sync_file(dma_buf(), passing.get(), DMA_BUF_SYNC_WRITE), 0);
    }
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
}

} // namespace fencebridge::test
