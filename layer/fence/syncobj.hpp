// DRM timelines: fences by number, for peers that are told a fence's number instead of looking at
// the dma-buf (Wayland's linux-drm-syncobj).
#pragma once

#include "fence/unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <sys/types.h>

namespace fencebridge {

/// A DRM node on which timelines are made. What it is of does not matter: a timeline's descriptor
/// means the same to every DRM device, and its fences may be anybody's. Thread-safe.
class SyncobjDevice {
public:
    /// The first of the nodes (device numbers) that can. Null where none does: no permission, a
    /// driver without timelines (DRM_CAP_SYNCOBJ_TIMELINE), or a kernel without their eventfds
    /// (before Linux 6.6).
    static std::shared_ptr<const SyncobjDevice> open(std::span<const dev_t> nodes);

    explicit SyncobjDevice(UniqueFd node) : node_(std::move(node)) {}
    int fd() const { return node_.get(); }

private:
    UniqueFd node_;
};

/// One timeline. Its points get their fences in rising order. One thread at a time; of another
/// process's points see drivers/gpu/drm/drm_syncobj.c.
class SyncobjTimeline {
public:
    explicit SyncobjTimeline(std::shared_ptr<const SyncobjDevice> device);
    ~SyncobjTimeline();
    SyncobjTimeline(const SyncobjTimeline&) = delete;
    SyncobjTimeline& operator=(const SyncobjTimeline&) = delete;

    /// Whether the constructor got it from the kernel.
    explicit operator bool() const { return timeline_ != 0; }

    /// A descriptor for a peer, the caller's. None, with errno set, on failure (EMFILE).
    UniqueFd share() const;

    /// `sync_file` (borrowed) becomes the point's fence. 0, or the errno.
    int import_fence(uint64_t point, int sync_file) const;

    /// The point has signalled, and those before it. 0, or the errno.
    int signal(uint64_t point) const;

    /// The point's fence, signalled or not, as a sync_file, the caller's. None where it has none
    /// yet (errno EINVAL) and on failure (EMFILE, ENOMEM).
    UniqueFd export_fence(uint64_t point) const;

    /// `event_fd` (borrowed) counts one more once the point has its fence; at once where it has.
    /// 0, or the errno.
    int notify(uint64_t point, int event_fd) const;

private:
    const std::shared_ptr<const SyncobjDevice> device_;
    uint32_t timeline_ = 0; ///< handle
    uint32_t passing_ = 0;  ///< handle of one without points, through which sync_files come and go
};

} // namespace fencebridge
