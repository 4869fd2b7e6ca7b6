#include "fence/vgem.hpp"

#include "fence/retry.hpp"

#include <drm/drm.h>
#include <drm/vgem_drm.h>
#include <linux/dma-buf.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <unistd.h>

namespace fencebridge {

namespace {

bool is_vgem(int node) {
    std::array<char, 16> name{};
    drm_version version{};
    version.name = name.data();
    version.name_len = name.size() - 1;
    return retry_ioctl(node, DRM_IOCTL_VERSION, &version) == 0 &&
           std::string_view(name.data()) == "vgem";
}

/// By sysfs, without opening it: who opens a card that nobody is master of becomes its master, and
/// a compositor that starts at that moment does not.
bool may_be_vgem(int minor) {
    std::array<char, 32> link{};
    std::array<char, 512> target{};
    (void)std::snprintf(link.data(), link.size(), "/sys/class/drm/card%d", minor);
    const ssize_t length = ::readlink(link.data(), target.data(), target.size() - 1);
    return length > 0 &&
           std::string_view(target.data(), static_cast<size_t>(length)).find("/vgem/") !=
               std::string_view::npos;
}

/// The kernel numbers primary nodes from 0 to 63 (drivers/gpu/drm/drm_drv.c).
UniqueFd find_node() {
    for (int minor = 0; minor < 64; ++minor) {
        if (!may_be_vgem(minor)) {
            continue;
        }
        std::array<char, 32> path{};
        (void)std::snprintf(path.data(), path.size(), "/dev/dri/card%d", minor);
        UniqueFd node(::open(path.data(), O_RDWR | O_CLOEXEC));
        if (node && is_vgem(node.get())) {
            return node;
        }
    }
    return {};
}

} // namespace

ProxyFence& ProxyFence::operator=(ProxyFence&& other) noexcept {
    if (this != &other) {
        (void)signal();
        vgem_ = std::move(other.vgem_);
        buffer_ = other.buffer_;
        dma_buf_ = other.dma_buf_;
        fence_ = other.fence_;
        made_ = other.made_;
        sync_file_ = std::move(other.sync_file_);
    }
    return *this;
}

int ProxyFence::signal() {
    if (!vgem_) {
        return 0;
    }
    const int error = vgem_->signal(fence_);
    vgem_->give_back({buffer_, dma_buf_});
    vgem_.reset();
    sync_file_.reset();
    return error;
}

std::shared_ptr<Vgem> Vgem::open() {
    // Never destroyed: a thread of the application may still be in the layer while exit handlers
    // run.
    struct Shared {
        std::mutex mutex;
        std::weak_ptr<Vgem> vgem;
    };
    static auto* const shared = new Shared;
    const std::lock_guard guard(shared->mutex);
    if (auto existing = shared->vgem.lock()) {
        return existing;
    }
    UniqueFd node = find_node();
    if (!node) {
        return nullptr;
    }
    auto opened = std::make_shared<Vgem>(std::move(node));
    shared->vgem = opened;
    return opened;
}

Vgem::~Vgem() {
    for (const Buffer& buffer : idle_) {
        ::close(buffer.dma_buf);
    }
    // Closing the node frees the buffers' handles.
}

bool Vgem::make_buffer(Buffer& buffer) {
    drm_mode_create_dumb dumb{};
    dumb.width = 32;
    dumb.height = 1;
    dumb.bpp = 32;
    if (retry_ioctl(node_.get(), DRM_IOCTL_MODE_CREATE_DUMB, &dumb) != 0) {
        return false;
    }
    drm_prime_handle prime{.handle = dumb.handle, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
    if (retry_ioctl(node_.get(), DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) != 0) {
        const int error = errno;
        drm_gem_close close{.handle = dumb.handle, .pad = 0};
        (void)retry_ioctl(node_.get(), DRM_IOCTL_GEM_CLOSE, &close);
        errno = error;
        return false;
    }
    buffer = {dumb.handle, prime.fd};
    return true;
}

ProxyFence Vgem::make_fence() {
    Buffer buffer{};
    {
        const std::lock_guard guard(mutex_);
        if (!idle_.empty()) {
            buffer = idle_.back();
            idle_.pop_back();
        }
    }
    if (buffer.handle == 0 && !make_buffer(buffer)) {
        return {};
    }
    ProxyFence fence;
    fence.made_ = std::chrono::steady_clock::now();
    drm_vgem_fence_attach attach{};
    attach.handle = buffer.handle;
    attach.flags = VGEM_FENCE_WRITE;
    if (retry_ioctl(node_.get(), DRM_IOCTL_VGEM_FENCE_ATTACH, &attach) != 0) {
        const int error = errno;
        give_back(buffer);
        errno = error;
        return fence;
    }
    fence.vgem_ = shared_from_this();
    fence.buffer_ = buffer.handle;
    fence.dma_buf_ = buffer.dma_buf;
    fence.fence_ = attach.out_fence;
    dma_buf_export_sync_file exported{};
    exported.flags = DMA_BUF_SYNC_READ;
    exported.fd = -1;
    if (retry_ioctl(buffer.dma_buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &exported) != 0) {
        const int error = errno;
        (void)fence.signal();
        errno = error;
        return fence;
    }
    fence.sync_file_ = UniqueFd(exported.fd);
    return fence;
}

int Vgem::signal(uint32_t fence) {
    drm_vgem_fence_signal signal{};
    signal.fence = fence;
    return retry_ioctl(node_.get(), DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal) == 0 ? 0 : errno;
}

void Vgem::give_back(Buffer buffer) {
    try {
        const std::lock_guard guard(mutex_);
        idle_.push_back(buffer);
    } catch (const std::bad_alloc&) {
        // The handle goes with the node; a descriptor must not.
        ::close(buffer.dma_buf);
    }
}

} // namespace fencebridge
