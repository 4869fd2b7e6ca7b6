// One dma-buf of this process, and the two ioctls on it.
#pragma once

#include "fence/access.hpp"
#include "fence/sync_file.hpp"
#include "fence/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <sys/types.h>

namespace fencebridge {

/// What a kernel can do with a dma-buf's fences.
enum class KernelSupport : uint8_t {
    Unknown,     ///< no dma-buf was seen yet
    Full,        ///< both ioctls: Linux 6.0 and later
    Unsupported, ///< ENOTTY: an older kernel, or the descriptor is no dma-buf
};

/// A dma-buf, known by its inode however many descriptors there are of it. Holds one private
/// CLOEXEC descriptor. Thread-safe; `lock` orders export -> submit -> import between threads.
class DmaBuf {
public:
    /// The process-wide object for the dma-buf behind `fd` (borrowed, duplicated). Null, with errno
    /// set, where fstat or dup fails (EBADF, EMFILE). Any thread.
    static std::shared_ptr<DmaBuf> of(int fd);

    DmaBuf(UniqueFd fd, dev_t device, ino_t inode);
    ~DmaBuf();
    DmaBuf(const DmaBuf&) = delete;
    DmaBuf& operator=(const DmaBuf&) = delete;

    int fd() const { return fd_.get(); }
    ino_t inode() const { return inode_; }

    /// One poll(): whether a party with this access may start right now (POLLIN: writers are done,
    /// POLLOUT: everybody is; drivers/dma-buf/dma-buf.c: dma_buf_poll).
    bool is_idle(Access access) const {
        return wait_idle(access, std::chrono::milliseconds(0)) == SyncWait::Signalled;
    }

    /// Waits on the CPU until a party with this access may start, at most `timeout` (negative: for
    /// ever). Works on every kernel that has dma-bufs.
    SyncWait wait_idle(Access access, std::chrono::milliseconds timeout) const;

    /// A snapshot of the fences that a party with this access must wait for, as a sync_file that
    /// the caller owns. Already signalled where there are none. None, with errno set, on failure:
    /// ENOTTY (no such ioctl), EMFILE, ENOMEM. (DMA_BUF_IOCTL_EXPORT_SYNC_FILE)
    UniqueFd export_fences(Access access) const;

    /// Adds `sync_file_fd` (borrowed) to the buffer's fences with READ or WRITE usage. It replaces
    /// nothing. The fence must be of work that the kernel already has. 0, or the errno.
    /// (DMA_BUF_IOCTL_IMPORT_SYNC_FILE)
    int attach_fence(int sync_file_fd, Access access) const;

    /// Asks the kernel by attaching to this buffer the (signalled or pending) fences it already
    /// has: EXPORT READ, then IMPORT READ of the same. Changes nothing for any peer.
    KernelSupport probe() const;

    /// Held from the export of an acquire to the attach of the release of the same submit.
    std::mutex lock;

private:
    UniqueFd fd_;
    dev_t device_;
    ino_t inode_;
};

} // namespace fencebridge
