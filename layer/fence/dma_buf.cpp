#include "fence/dma_buf.hpp"

#include "fence/retry.hpp"

#include <linux/dma-buf.h>

#include <cerrno>
#include <map>
#include <poll.h>
#include <sys/stat.h>
#include <utility>

namespace fencebridge {

namespace {

/// All dma-bufs this process knows, by inode. Two devices that share one buffer share its lock.
struct Registry {
    std::mutex mutex;
    std::map<std::pair<dev_t, ino_t>, std::weak_ptr<DmaBuf>> by_inode;
};

/// Never destroyed: a thread of the application may still be in the layer while exit handlers run.
Registry& registry() {
    static auto* const instance = new Registry;
    return *instance;
}

uint32_t sync_flags(Access access) {
    return access == Access::Write ? static_cast<uint32_t>(DMA_BUF_SYNC_WRITE)
                                   : static_cast<uint32_t>(DMA_BUF_SYNC_READ);
}

} // namespace

std::shared_ptr<DmaBuf> DmaBuf::of(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) {
        return nullptr;
    }
    const auto key = std::pair(status.st_dev, status.st_ino);
    Registry& known = registry();
    const std::lock_guard guard(known.mutex);
    auto& entry = known.by_inode[key];
    if (auto existing = entry.lock()) {
        return existing;
    }
    UniqueFd own = UniqueFd::duplicate(fd);
    if (!own) {
        const int error = errno;
        known.by_inode.erase(key);
        errno = error;
        return nullptr;
    }
    auto created = std::make_shared<DmaBuf>(std::move(own), status.st_dev, status.st_ino);
    entry = created;
    return created;
}

DmaBuf::DmaBuf(UniqueFd fd, dev_t device, ino_t inode)
    : fd_(std::move(fd)), device_(device), inode_(inode) {}

DmaBuf::~DmaBuf() {
    Registry& known = registry();
    const std::lock_guard guard(known.mutex);
    const auto found = known.by_inode.find({device_, inode_});
    // Another thread may have made a new object for the same inode after our last reference went.
    if (found != known.by_inode.end() && found->second.expired()) {
        known.by_inode.erase(found);
    }
}

SyncWait DmaBuf::wait_idle(Access access, std::chrono::milliseconds timeout) const {
    return poll_until(fd_.get(), access == Access::Write ? POLLOUT : POLLIN, timeout);
}

UniqueFd DmaBuf::export_fences(Access access) const {
    dma_buf_export_sync_file request{};
    // A writer must wait for readers too: RW, not WRITE alone, says what is meant.
    request.flags = access == Access::Write ? static_cast<uint32_t>(DMA_BUF_SYNC_RW)
                                            : static_cast<uint32_t>(DMA_BUF_SYNC_READ);
    request.fd = -1;
    if (retry_ioctl(fd_.get(), DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request) != 0) {
        return {};
    }
    return UniqueFd(request.fd);
}

int DmaBuf::attach_fence(int sync_file_fd, Access access) const {
    dma_buf_import_sync_file request{};
    request.flags = sync_flags(access);
    request.fd = sync_file_fd;
    return retry_ioctl(fd_.get(), DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request) == 0 ? 0 : errno;
}

KernelSupport DmaBuf::probe() const {
    const UniqueFd fences = export_fences(Access::Read);
    if (!fences) {
        return errno == ENOTTY ? KernelSupport::Unsupported : KernelSupport::Unknown;
    }
    const int error = attach_fence(fences.get(), Access::Read);
    if (error == ENOTTY) {
        return KernelSupport::Unsupported;
    }
    return error == 0 ? KernelSupport::Full : KernelSupport::Unknown;
}

} // namespace fencebridge
