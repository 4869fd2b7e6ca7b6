// What buffers a compositor takes by linux-dmabuf: formats and modifiers, in its order of
// preference.
#pragma once

#include "present/wayland/objects.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace fencebridge {

/// Formats for one use of the compositor's: scan-out on a plane, say, or sampling.
struct DmabufTranche {
    struct Format {
        uint32_t format; ///< fourcc
        uint64_t modifier;
        bool operator==(const Format&) const = default;
    };
    std::optional<dev_t> device; ///< that reads the buffers
    std::vector<Format> formats;
};

/// Heard on the event queue that the proxies are of, whose dispatching the caller serialises.
class DmabufFormats {
public:
    /// Listens to `dmabuf` (version 3), or asks it for the feedback (version 4 and later) of
    /// `surface`. Borrowed; heard after a roundtrip.
    DmabufFormats(zwp_linux_dmabuf_v1* dmabuf, wl_surface* surface);
    DmabufFormats(const DmabufFormats&) = delete;
    DmabufFormats& operator=(const DmabufFormats&) = delete;

    /// Counts what the compositor has said so far.
    uint32_t generation() const { return generation_; }

    /// The devices on which the compositor reads buffers, the one it likes best first.
    std::vector<dev_t> devices() const;

    bool offers(uint32_t format) const;
    bool offers(uint32_t format, uint64_t modifier) const;

    /// Presenter::modifier_sets() for images of `format` on the device with these nodes (none: not
    /// known). What another device than the images' own reads must be linear.
    std::vector<std::vector<uint64_t>> modifier_sets(uint32_t format,
                                                     std::span<const uint64_t> usable,
                                                     std::span<const dev_t> nodes) const;

private:
    friend struct DmabufFormatsListener;
    WaylandPtr<zwp_linux_dmabuf_feedback_v1> feedback_;
    std::vector<DmabufTranche::Format> table_;
    DmabufTranche next_tranche_;
    std::vector<DmabufTranche> next_; ///< until the feedback is done
    std::vector<DmabufTranche> tranches_;
    uint32_t generation_ = 0;
};

} // namespace fencebridge
