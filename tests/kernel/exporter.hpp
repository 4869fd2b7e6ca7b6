// The dma-bufs that the contract is shown on: a GPU driver's (vgem) and a page-backed one
// (udmabuf).
#pragma once

#include "support/udmabuf.hpp"
#include "support/vgem.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace fencebridge::test {

enum class Exporter : uint8_t { Vgem, Udmabuf };

/// A dma-buf on which somebody's work can be made pending.
class Target {
public:
    explicit Target(Exporter exporter);

    int dma_buf() const;

    /// Somebody's pending work: on vgem its driver adds the fence, as GPU drivers do at a submit;
    /// on udmabuf, which has no engine, the fence is imported.
    VgemFence begin_work(Usage usage) const;

private:
    std::optional<VgemBuffer> vgem_;
    std::optional<Udmabuf> udmabuf_;
};

/// One case for each exporter; skips where the machine lacks what makes dma-bufs or fences.
class DmaBufFences : public testing::TestWithParam<Exporter> {
protected:
    void SetUp() override;
    const Target& target() const { return *target_; }
    int dma_buf() const { return target_->dma_buf(); }

private:
    std::optional<Target> target_;
};

/// A sync_file of what a party with this access (DMA_BUF_SYNC_*) must wait for. Fails the case
/// where the kernel refuses.
Fd exported(int dma_buf, uint32_t flags);

} // namespace fencebridge::test
