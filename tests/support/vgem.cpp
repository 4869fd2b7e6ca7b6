#include "support/vgem.hpp"

#include "support/dma_buf_ioctls.hpp"

#include <drm/drm.h>
#include <drm/vgem_drm.h>
#include <linux/dma-buf.h>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <system_error>

namespace fencebridge::test {

namespace {

template<typename Request>
void must(const Fd& node, unsigned long command, Request& request, const char* what) {
    if (::ioctl(node.get(), command, &request) != 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
}

bool is_vgem(const Fd& node) {
    char name[16] = {};
    drm_version version{};
    version.name = static_cast<char*>(name);
    version.name_len = sizeof(name);
    return ::ioctl(node.get(), DRM_IOCTL_VERSION, &version) == 0 &&
           std::string_view(static_cast<const char*>(name)) == "vgem";
}

/// A primary node, not a render node: dumb buffers are not for those. None where there is no vgem.
Fd open_vgem() {
    for (int minor = 0; minor < 64; ++minor) {
        const std::string path = "/dev/dri/card" + std::to_string(minor);
        Fd node(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        if (node && is_vgem(node)) {
            return node;
        }
    }
    return {};
}

} // namespace

std::string missing_vgem() {
    return open_vgem() ? "" : "no DRM device of the driver vgem (kernel module vgem) in /dev/dri";
}

VgemBuffer::VgemBuffer() : node_(std::make_shared<const Fd>(open_vgem())) {
    if (!*node_) {
        throw std::system_error(ENODEV, std::generic_category(), "vgem");
    }
    drm_mode_create_dumb dumb{};
    dumb.width = 1024;
    dumb.height = 1;
    dumb.bpp = 32;
    must(*node_, DRM_IOCTL_MODE_CREATE_DUMB, dumb, "vgem: CREATE_DUMB");
    handle_ = dumb.handle;
    drm_prime_handle prime{.handle = handle_, .flags = DRM_CLOEXEC | DRM_RDWR, .fd = -1};
    must(*node_, DRM_IOCTL_PRIME_HANDLE_TO_FD, prime, "vgem: PRIME_HANDLE_TO_FD");
    dma_buf_ = Fd(prime.fd);
}

VgemBuffer::~VgemBuffer() {
    drm_gem_close close{.handle = handle_, .pad = 0};
    (void)::ioctl(node_->get(), DRM_IOCTL_GEM_CLOSE, &close);
}

VgemFence VgemBuffer::attach(Usage usage) const {
    drm_vgem_fence_attach attach{};
    attach.handle = handle_;
    attach.flags = usage == Usage::Write ? VGEM_FENCE_WRITE : 0;
    must(*node_, DRM_IOCTL_VGEM_FENCE_ATTACH, attach, "vgem: FENCE_ATTACH");
    VgemFence fence(node_, attach.out_fence, {});
    Exported exported =
        export_sync_file(dma_buf(), usage == Usage::Write ? DMA_BUF_SYNC_READ : DMA_BUF_SYNC_WRITE);
    if (exported.error != 0) {
        throw std::system_error(exported.error, std::generic_category(), "EXPORT_SYNC_FILE");
    }
    fence.sync_file_ = std::move(exported.sync_file);
    return fence;
}

VgemFence::~VgemFence() {
    (void)signal();
}

int VgemFence::signal() {
    if (!node_ || id_ == 0) {
        return 0;
    }
    drm_vgem_fence_signal signal{.fence = std::exchange(id_, 0), .flags = 0};
    return ::ioctl(node_->get(), DRM_IOCTL_VGEM_FENCE_SIGNAL, &signal) == 0 ? 0 : errno;
}

VgemFence pending_fence() {
    // The fence lives on in its sync_file when the buffer is gone.
    return VgemBuffer().attach(Usage::Write);
}

} // namespace fencebridge::test
