// A queue's submitter on real dma-bufs and real fences; only the GPU is a FakeDriver.
#pragma once

#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"
#include "support/udmabuf.hpp"
#include "support/vgem.hpp"
#include "unit/submitter_test.hpp"

#include <linux/dma-buf.h>

#include <optional>
#include <string>
#include <unistd.h>

namespace fencebridge::test {

class SubmitOnKernel : public SubmitterTest {
protected:
    explicit SubmitOnKernel(SourceKind source = SourceKind::Semaphore) : SubmitterTest(source) {}

    void SetUp() override {
        for (const std::string& missing : {missing_vgem(), missing_udmabuf()}) {
            if (!missing.empty()) {
                GTEST_SKIP() << missing;
            }
        }
        // The GPU's work: pending until a test ends it.
        work.emplace(pending_fence());
        driver.make_sync_file = [this] { return ::dup(work->sync_file()); };
    }

    static VgemFence peer_begins(const Udmabuf& buffer, Usage usage) {
        VgemFence peer = pending_fence();
        EXPECT_EQ(import_sync_file(buffer.dma_buf(), peer.sync_file(),
                                   usage == Usage::Write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ),
                  0);
        return peer;
    }

    std::optional<VgemFence> work;
};

} // namespace fencebridge::test
