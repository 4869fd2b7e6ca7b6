// vgem: the kernel's GPU without a GPU. Its fences signal when a test says so.
#pragma once

#include "support/fd.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace fencebridge::test {

enum class Usage : uint8_t { Read, Write };

/// Empty where this machine has vgem; else the reason for a skip.
std::string missing_vgem();

/// A pending fence on a vgem buffer. The kernel ends one that nobody signals after 10 s.
class VgemFence {
public:
    VgemFence(VgemFence&&) noexcept = default;
    VgemFence& operator=(VgemFence&&) = delete;
    VgemFence(const VgemFence&) = delete;
    VgemFence& operator=(const VgemFence&) = delete;
    /// Signals it, where that was not done.
    ~VgemFence();

    /// A sync_file of it (with a READ fence: of all that is pending on its buffer).
    int sync_file() const { return sync_file_.get(); }

    /// Signals it. 0, or the errno: ETIMEDOUT where the kernel was first.
    int signal();

private:
    friend class VgemBuffer;
    VgemFence(std::shared_ptr<const Fd> node, uint32_t id, Fd sync_file)
        : node_(std::move(node)), id_(id), sync_file_(std::move(sync_file)) {}

    std::shared_ptr<const Fd> node_;
    uint32_t id_;
    Fd sync_file_;
};

/// One small dumb buffer and its dma-buf. Every constructor and function here throws
/// std::system_error where the kernel refuses.
class VgemBuffer {
public:
    VgemBuffer();
    ~VgemBuffer();
    VgemBuffer(const VgemBuffer&) = delete;
    VgemBuffer& operator=(const VgemBuffer&) = delete;

    int dma_buf() const { return dma_buf_.get(); }

    /// A new pending fence on this buffer. Its own dma_resv must have none that it conflicts with
    /// (EBUSY): a writer none at all, a reader no writer.
    VgemFence attach(Usage usage) const;

private:
    std::shared_ptr<const Fd> node_;
    uint32_t handle_ = 0;
    Fd dma_buf_;
};

/// A fence of its own, on a buffer that nobody else looks at: "somebody's pending work".
VgemFence pending_fence();

} // namespace fencebridge::test
