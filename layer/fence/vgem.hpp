// vgem: the kernel's device whose fences a program signals itself.
#pragma once

#include "fence/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace fencebridge {

class Vgem;

/// A pending kernel fence that stands for work which has none of its own. It signals when it is
/// told to, when it is destroyed, and in any case `Vgem::time_limit` after its making: that is the
/// promise with which the kernel lets a program hold a fence at all
/// (drivers/gpu/drm/vgem/vgem_fence.c). Movable; one thread at a time.
class ProxyFence {
public:
    ProxyFence() = default;
    ProxyFence(ProxyFence&& other) noexcept { *this = std::move(other); }
    ProxyFence& operator=(ProxyFence&& other) noexcept;
    ProxyFence(const ProxyFence&) = delete;
    ProxyFence& operator=(const ProxyFence&) = delete;
    ~ProxyFence() { (void)signal(); }

    explicit operator bool() const { return vgem_ != nullptr; }

    /// The fence as a sync_file, owned by this object.
    const UniqueFd& sync_file() const { return sync_file_; }
    /// The same, for the caller to own: signalling does without it.
    UniqueFd take_sync_file() { return std::move(sync_file_); }

    /// When its time began.
    std::chrono::steady_clock::time_point made() const { return made_; }

    /// Signals it. 0; ETIMEDOUT where the kernel was quicker, for its time was up.
    int signal();

private:
    friend class Vgem;
    std::shared_ptr<Vgem> vgem_;
    uint32_t buffer_ = 0; ///< GEM handle of the buffer that the fence was made on
    int dma_buf_ = -1;    ///< that buffer's descriptor, the device's
    uint32_t fence_ = 0;
    std::chrono::steady_clock::time_point made_;
    UniqueFd sync_file_;
};

/// The process's vgem node, with the small buffers that fences are made on. Thread-safe.
class Vgem : public std::enable_shared_from_this<Vgem> {
public:
    /// Measured by the kernel from the fence's making.
    static constexpr std::chrono::seconds time_limit{10};

    /// The node, opened on first use and shared. Null where there is none (module not loaded, no
    /// permission). Only primary nodes make buffers.
    static std::shared_ptr<Vgem> open();

    explicit Vgem(UniqueFd node) : node_(std::move(node)) {}
    ~Vgem();
    Vgem(const Vgem&) = delete;
    Vgem& operator=(const Vgem&) = delete;

    /// A pending fence; an empty one, with errno set, where the kernel refuses (EMFILE, ENOMEM).
    ProxyFence make_fence();

private:
    friend class ProxyFence;
    struct Buffer {
        uint32_t handle;
        int dma_buf;
    };
    bool make_buffer(Buffer& buffer);
    int signal(uint32_t fence);
    void give_back(Buffer buffer);

    UniqueFd node_;
    std::mutex mutex_;
    std::vector<Buffer> idle_; ///< a buffer carries one pending fence at a time
};

} // namespace fencebridge
