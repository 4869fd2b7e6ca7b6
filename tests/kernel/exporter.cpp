#include "kernel/exporter.hpp"

#include "support/dma_buf_ioctls.hpp"

#include <linux/dma-buf.h>

#include <system_error>

namespace fencebridge::test {

Target::Target(Exporter exporter) {
    if (exporter == Exporter::Vgem) {
        vgem_.emplace();
    } else {
        udmabuf_.emplace();
    }
}

int Target::dma_buf() const {
    return vgem_ ? vgem_->dma_buf() : udmabuf_->dma_buf();
}

VgemFence Target::begin_work(Usage usage) const {
    if (vgem_) {
        return vgem_->attach(usage);
    }
    VgemFence fence = pending_fence();
    const int error =
        import_sync_file(dma_buf(), fence.sync_file(),
                         usage == Usage::Write ? DMA_BUF_SYNC_WRITE : DMA_BUF_SYNC_READ);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), "IMPORT_SYNC_FILE");
    }
    return fence;
}

void DmaBufFences::SetUp() {
    if (const std::string missing = missing_vgem(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    if (GetParam() == Exporter::Udmabuf) {
        if (const std::string missing = missing_udmabuf(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
    target_.emplace(GetParam());
}

Fd exported(int dma_buf, uint32_t flags) {
    Exported result = export_sync_file(dma_buf, flags);
    if (result.error != 0) {
        throw std::system_error(result.error, std::generic_category(), "EXPORT_SYNC_FILE");
    }
    return std::move(result.sync_file);
}

INSTANTIATE_TEST_SUITE_P(Kernel, DmaBufFences, testing::Values(Exporter::Vgem, Exporter::Udmabuf),
                         [](const auto& instance) {
                             return instance.param == Exporter::Vgem ? "vgem" : "udmabuf";
                         });

} // namespace fencebridge::test
