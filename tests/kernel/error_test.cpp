// What the two ioctls refuse, and how. Not tested, because it would cost ten seconds a run: a vgem
// fence that nobody signals is ended by the kernel after 10 s, with an error that pollers see as
// ready.
#include "kernel/exporter.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/few_descriptors.hpp"
#include "support/readiness.hpp"

#include <linux/dma-buf.h>

#include <cerrno>
#include <sys/mman.h>

namespace fencebridge::test {

constexpr uint32_t unknown_flag = 1U << 7;

TEST_P(DmaBufFences, NoFlagsOrUnknownFlagsAreInvalid) {
    const VgemFence work = pending_fence();
    for (const uint32_t flags : {0U, unknown_flag, unknown_flag | DMA_BUF_SYNC_RW}) {
        EXPECT_EQ(export_sync_file(dma_buf(), flags).error, EINVAL) << flags;
        EXPECT_EQ(import_sync_file(dma_buf(), work.sync_file(), flags), EINVAL) << flags;
    }
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT)) << "a refused import must leave nothing behind";
}

TEST_P(DmaBufFences, ImportOfSomethingElseIsInvalid) {
    const Fd memory(::memfd_create("not a sync_file", MFD_CLOEXEC));
    EXPECT_EQ(import_sync_file(dma_buf(), memory.get(), DMA_BUF_SYNC_WRITE), EINVAL);
    EXPECT_EQ(import_sync_file(dma_buf(), dma_buf(), DMA_BUF_SYNC_WRITE), EINVAL);
    EXPECT_EQ(import_sync_file(dma_buf(), -1, DMA_BUF_SYNC_WRITE), EINVAL);
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_P(DmaBufFences, ExportWithoutDescriptorsLeavesNothingBehind) {
    VgemFence work = target().begin_work(Usage::Write);
    const size_t before = open_descriptors();
    {
        const NoMoreDescriptors limit;
        EXPECT_EQ(export_sync_file(dma_buf(), DMA_BUF_SYNC_READ).error, EMFILE);
    }
    EXPECT_EQ(open_descriptors(), before);
    // The buffer's fences are as they were, and the next export works.
    const Fd next = exported(dma_buf(), DMA_BUF_SYNC_READ);
    EXPECT_FALSE(is_ready(next.get(), POLLIN));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_P(DmaBufFences, ImportNeedsNoDescriptor) {
    VgemFence work = pending_fence();
    {
        const NoMoreDescriptors limit;
        EXPECT_EQ(import_sync_file(dma_buf(), work.sync_file(), DMA_BUF_SYNC_WRITE), 0);
    }
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
}

// These two need no dma-buf, so they say the same on every machine.
TEST(NotADmaBuf, IsNoTypewriter) {
    const Fd memory(::memfd_create("not a dma-buf", MFD_CLOEXEC));
    EXPECT_EQ(export_sync_file(memory.get(), DMA_BUF_SYNC_READ).error, ENOTTY);
    EXPECT_EQ(import_sync_file(memory.get(), memory.get(), DMA_BUF_SYNC_READ), ENOTTY);
}

TEST(NotADmaBuf, ClosedDescriptorIsBad) {
    EXPECT_EQ(export_sync_file(-1, DMA_BUF_SYNC_READ).error, EBADF);
    EXPECT_EQ(import_sync_file(-1, 0, DMA_BUF_SYNC_READ), EBADF);
}

} // namespace fencebridge::test
