// The kernel's ioctls, and the layer's view of them, on a dma-buf of a real GPU's memory.
#include "fence/dma_buf.hpp"
#include "hardware/hardware_test.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"
#include "support/results.hpp"
#include "support/sync_file_info.hpp"
#include "support/vgem.hpp"

#include <linux/dma-buf.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>

namespace fencebridge::test {
namespace {

using DmaBufOfGpu = CudaTest;

TEST_F(DmaBufOfGpu, ExportsASignalledFenceWhereThereIsNone) {
    for (const auto flags : {DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE, DMA_BUF_SYNC_RW}) {
        const Exported exported = export_sync_file(dma_buf(), static_cast<uint32_t>(flags));
        ASSERT_EQ(exported.error, 0);
        EXPECT_TRUE(sync_file_info(exported.sync_file.get()).is_signalled());
    }
}

TEST_F(DmaBufOfGpu, TakesAFenceAndStaysIdleWhereItHasSignalled) {
    const Exported exported = export_sync_file(dma_buf(), DMA_BUF_SYNC_RW);
    ASSERT_EQ(exported.error, 0);
    for (const auto flags : {DMA_BUF_SYNC_READ, DMA_BUF_SYNC_WRITE}) {
        EXPECT_EQ(
            import_sync_file(dma_buf(), exported.sync_file.get(), static_cast<uint32_t>(flags)), 0);
        EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
        EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
    }
    EXPECT_EQ(import_sync_file(dma_buf(), exported.sync_file.get(), 0), EINVAL);
}

TEST_F(DmaBufOfGpu, APendingFenceHoldsItsPeers) {
    if (const std::string missing = missing_vgem(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    VgemFence work = pending_fence();
    const auto ours = fencebridge::DmaBuf::of(dma_buf());
    ASSERT_NE(ours, nullptr);
    ASSERT_EQ(ours->attach_fence(work.sync_file(), Access::Write), 0);
    EXPECT_FALSE(is_ready(dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(dma_buf(), POLLOUT));
    ASSERT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_ready(dma_buf(), POLLIN));
    EXPECT_TRUE(is_ready(dma_buf(), POLLOUT));
}

TEST_F(DmaBufOfGpu, TheLayerFindsAllItNeeds) {
    const auto ours = fencebridge::DmaBuf::of(dma_buf());
    ASSERT_NE(ours, nullptr);
    EXPECT_EQ(ours->probe(), KernelSupport::Full);
    EXPECT_TRUE(ours->is_idle(Access::Read));
    EXPECT_TRUE(ours->is_idle(Access::Write));
    const UniqueFd fences = ours->export_fences(Access::Write);
    ASSERT_TRUE(fences);
    EXPECT_TRUE(is_signalled(fences.get()));
    EXPECT_EQ(ours->attach_fence(fences.get(), Access::Write), 0);
}

TEST_F(DmaBufOfGpu, TheLayerTellsItFromOthersByItsInode) {
    const auto ours = fencebridge::DmaBuf::of(dma_buf());
    ASSERT_NE(ours, nullptr);
    const Fd duplicate(::fcntl(dma_buf(), F_DUPFD_CLOEXEC, 3));
    EXPECT_EQ(fencebridge::DmaBuf::of(duplicate.get()), ours);
    const CudaMemory other(device(), shared_size);
    const Fd others_dma_buf = other.dma_buf();
    EXPECT_NE(fencebridge::DmaBuf::of(others_dma_buf.get()), ours);

    // A driver may make a dma-buf of its own for each export: then a fence on one is not on the
    // other, and peers must be given descriptors of the same. Nobody promises either.
    const Fd second = memory().dma_buf();
    const bool is_same = fencebridge::DmaBuf::of(second.get()) == ours;
    std::printf("a second export of the same memory: %s\n",
                is_same ? "the same dma-buf" : "another dma-buf");
    record_value("hardware/dma_bufs_of_one_memory_exported_twice", is_same ? 1 : 2, "dma-bufs", "",
                 true);
}

} // namespace
} // namespace fencebridge::test
