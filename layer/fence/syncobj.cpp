#include "fence/syncobj.hpp"

#include "fence/retry.hpp"

#include <climits>
#include <drm/drm.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <utility>

#ifndef DRM_IOCTL_SYNCOBJ_EVENTFD
// Headers of kernels before Linux 6.6. The kernel that runs may know it all the same.
struct drm_syncobj_eventfd {
    uint32_t handle;
    uint32_t flags;
    uint64_t point;
    int32_t fd;
    uint32_t pad;
};
#define DRM_IOCTL_SYNCOBJ_EVENTFD DRM_IOWR(0xCF, drm_syncobj_eventfd)
#endif

namespace fencebridge {

namespace {

/// The kernel's name of a device is the last word of where its number leads.
UniqueFd open_node(dev_t number) {
    std::array<char, 64> link{};
    (void)std::snprintf(link.data(), link.size(), "/sys/dev/char/%u:%u", ::major(number),
                        ::minor(number));
    std::array<char, PATH_MAX> target{};
    const ssize_t length = ::readlink(link.data(), target.data(), target.size());
    if (length <= 0) {
        return {};
    }
    const std::string_view path(target.data(), static_cast<size_t>(length));
    const std::string node = "/dev/dri/" + std::string(path.substr(path.rfind('/') + 1));
    UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    struct stat what{};
    if (!fd || ::fstat(fd.get(), &what) != 0 || what.st_rdev != number) {
        return {};
    }
    return fd;
}

bool has_timelines(int node) {
    drm_get_cap capability{.capability = DRM_CAP_SYNCOBJ_TIMELINE, .value = 0};
    if (retry_ioctl(node, DRM_IOCTL_GET_CAP, &capability) != 0 || capability.value == 0) {
        return false;
    }
    // A kernel that knows the call looks for the timeline, and there is none of this name.
    drm_syncobj_eventfd nothing{};
    nothing.fd = -1;
    return retry_ioctl(node, DRM_IOCTL_SYNCOBJ_EVENTFD, &nothing) != 0 && errno == ENOENT;
}

uint32_t create(int node) {
    drm_syncobj_create made{};
    return retry_ioctl(node, DRM_IOCTL_SYNCOBJ_CREATE, &made) == 0 ? made.handle : 0;
}

void destroy(int node, uint32_t handle) {
    if (handle != 0) {
        drm_syncobj_destroy gone{};
        gone.handle = handle;
        (void)retry_ioctl(node, DRM_IOCTL_SYNCOBJ_DESTROY, &gone);
    }
}

/// The fence of one's point becomes the other's. Point 0: of one without points.
int transfer(int node, uint32_t from, uint64_t from_point, uint32_t to, uint64_t to_point) {
    drm_syncobj_transfer both{};
    both.src_handle = from;
    both.src_point = from_point;
    both.dst_handle = to;
    both.dst_point = to_point;
    return retry_ioctl(node, DRM_IOCTL_SYNCOBJ_TRANSFER, &both) == 0 ? 0 : errno;
}

} // namespace

std::shared_ptr<const SyncobjDevice> SyncobjDevice::open(std::span<const dev_t> nodes) {
    for (const dev_t number : nodes) {
        UniqueFd node = open_node(number);
        if (node && has_timelines(node.get())) {
            return std::make_shared<const SyncobjDevice>(std::move(node));
        }
    }
    return nullptr;
}

SyncobjTimeline::SyncobjTimeline(std::shared_ptr<const SyncobjDevice> device)
    : device_(std::move(device)), timeline_(create(device_->fd())) {
    if (timeline_ == 0) {
        return;
    }
    passing_ = create(device_->fd());
    if (passing_ == 0) {
        destroy(device_->fd(), std::exchange(timeline_, 0));
    }
}

SyncobjTimeline::~SyncobjTimeline() {
    destroy(device_->fd(), passing_);
    destroy(device_->fd(), timeline_);
}

UniqueFd SyncobjTimeline::share() const {
    drm_syncobj_handle shared{};
    shared.handle = timeline_;
    shared.fd = -1;
    if (retry_ioctl(device_->fd(), DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &shared) != 0) {
        return {};
    }
    return UniqueFd(shared.fd);
}

int SyncobjTimeline::import_fence(uint64_t point, int sync_file) const {
    drm_syncobj_handle import{};
    import.handle = passing_;
    import.flags = DRM_SYNCOBJ_FD_TO_HANDLE_FLAGS_IMPORT_SYNC_FILE;
    import.fd = sync_file;
    if (retry_ioctl(device_->fd(), DRM_IOCTL_SYNCOBJ_FD_TO_HANDLE, &import) != 0) {
        return errno;
    }
    return transfer(device_->fd(), passing_, 0, timeline_, point);
}

int SyncobjTimeline::signal(uint64_t point) const {
    drm_syncobj_timeline_array one{};
    one.handles = reinterpret_cast<uintptr_t>(&timeline_);
    one.points = reinterpret_cast<uintptr_t>(&point);
    one.count_handles = 1;
    return retry_ioctl(device_->fd(), DRM_IOCTL_SYNCOBJ_TIMELINE_SIGNAL, &one) == 0 ? 0 : errno;
}

UniqueFd SyncobjTimeline::export_fence(uint64_t point) const {
    if (const int error = transfer(device_->fd(), timeline_, point, passing_, 0); error != 0) {
        errno = error;
        return {};
    }
    drm_syncobj_handle exported{};
    exported.handle = passing_;
    exported.flags = DRM_SYNCOBJ_HANDLE_TO_FD_FLAGS_EXPORT_SYNC_FILE;
    exported.fd = -1;
    if (retry_ioctl(device_->fd(), DRM_IOCTL_SYNCOBJ_HANDLE_TO_FD, &exported) != 0) {
        return {};
    }
    return UniqueFd(exported.fd);
}

int SyncobjTimeline::notify(uint64_t point, int event_fd) const {
    drm_syncobj_eventfd wish{};
    wish.handle = timeline_;
    wish.flags = DRM_SYNCOBJ_WAIT_FLAGS_WAIT_AVAILABLE;
    wish.point = point;
    wish.fd = event_fd;
    return retry_ioctl(device_->fd(), DRM_IOCTL_SYNCOBJ_EVENTFD, &wish) == 0 ? 0 : errno;
}

} // namespace fencebridge
