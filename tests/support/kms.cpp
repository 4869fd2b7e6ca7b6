#include "support/kms.hpp"

#include <xf86drm.h>
#include <xf86drmMode.h>

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <poll.h>
#include <span>
#include <string_view>
#include <system_error>

namespace fencebridge::test {

namespace {

constexpr uint32_t xrgb8888 = 0x34325258; // DRM_FORMAT_XRGB8888, whose macro is full of C's casts

/// What libdrm allocates, freed by its own function for that.
template<auto free>
struct Freed {
    template<typename T>
    void operator()(T* object) const {
        free(object);
    }
};
using Resources = std::unique_ptr<drmModeRes, Freed<drmModeFreeResources>>;
using PlaneList = std::unique_ptr<drmModePlaneRes, Freed<drmModeFreePlaneResources>>;
using Plane = std::unique_ptr<drmModePlane, Freed<drmModeFreePlane>>;
using Connector = std::unique_ptr<drmModeConnector, Freed<drmModeFreeConnector>>;
using Properties = std::unique_ptr<drmModeObjectProperties, Freed<drmModeFreeObjectProperties>>;
using Property = std::unique_ptr<drmModePropertyRes, Freed<drmModeFreeProperty>>;
using Version = std::unique_ptr<drmVersion, Freed<drmFreeVersion>>;
using Request = std::unique_ptr<drmModeAtomicReq, Freed<drmModeAtomicFree>>;

[[noreturn]] void refuse(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), "KMS: " + what);
}

/// libdrm answers with -errno, or with -1 and errno.
void must(int result, const char* what) {
    if (result < 0) {
        refuse(result == -1 ? errno : -result, what);
    }
}

Fd open_card(const std::string& driver) {
    for (int minor = 0; minor < 64; ++minor) {
        Fd card(::open(("/dev/dri/card" + std::to_string(minor)).c_str(), O_RDWR | O_CLOEXEC));
        const Version version(card ? drmGetVersion(card.get()) : nullptr);
        if (version && driver == version->name) {
            return card;
        }
    }
    return {};
}

Connector connected(int card) {
    const Resources resources(drmModeGetResources(card));
    if (!resources || resources->count_crtcs == 0) {
        return {};
    }
    for (const uint32_t id :
         std::span(resources->connectors, static_cast<size_t>(resources->count_connectors))) {
        Connector connector(drmModeGetConnector(card, id));
        if (connector && connector->connection == DRM_MODE_CONNECTED &&
            connector->count_modes > 0) {
            return connector;
        }
    }
    return {};
}

/// Small enough for an emulated machine to copy in no time; else what the display likes best.
drmModeModeInfo mode_of(const drmModeConnector& connector) {
    const std::span modes(connector.modes, static_cast<size_t>(connector.count_modes));
    for (const drmModeModeInfo& mode : modes) {
        if (mode.hdisplay == 1024 && mode.vdisplay == 768) {
            return mode;
        }
    }
    return modes.front();
}

struct PropertyValue {
    uint32_t id = 0;
    uint64_t value = 0;
};

PropertyValue property(int card, uint32_t object, std::string_view wanted) {
    const Properties all(drmModeObjectGetProperties(card, object, DRM_MODE_OBJECT_ANY));
    for (uint32_t i = 0; all && i < all->count_props; ++i) {
        const Property one(drmModeGetProperty(card, all->props[i]));
        if (one && wanted == static_cast<const char*>(one->name)) {
            return {.id = all->props[i], .value = all->prop_values[i]};
        }
    }
    refuse(ENOENT, "property " + std::string(wanted));
}

uint32_t primary_plane(int card) {
    const PlaneList all(drmModeGetPlaneResources(card));
    for (uint32_t i = 0; all && i < all->count_planes; ++i) {
        const Plane plane(drmModeGetPlane(card, all->planes[i]));
        // Bit 0: of the first CRTC, the one that we use.
        if (plane && (plane->possible_crtcs & 1U) != 0 &&
            property(card, plane->plane_id, "type").value == DRM_PLANE_TYPE_PRIMARY) {
            return plane->plane_id;
        }
    }
    refuse(ENOENT, "primary plane");
}

void set(int card, const Request& request, uint32_t object, std::string_view name, uint64_t value) {
    must(drmModeAtomicAddProperty(request.get(), object, property(card, object, name).id, value),
         "atomic property");
}

} // namespace

std::string missing_display(const std::string& driver) {
    const Fd card = open_card(driver);
    if (!card) {
        return "no DRM card of the driver " + driver + " in /dev/dri";
    }
    if (!connected(card.get())) {
        return "no connected display on the DRM card of the driver " + driver;
    }
    // The first to open a card that nobody drives becomes its master.
    if (drmIsMaster(card.get()) == 0) {
        return "the DRM card of the driver " + driver + " is driven by another program";
    }
    return "";
}

Display::Display(const std::string& driver) : card_(open_card(driver)) {
    if (!card_) {
        refuse(ENODEV, driver);
    }
    const int card = card_.get();
    must(drmSetClientCap(card, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1), "universal planes");
    must(drmSetClientCap(card, DRM_CLIENT_CAP_ATOMIC, 1), "atomic");
    const Connector connector = connected(card);
    if (!connector) {
        refuse(ENODEV, "connector");
    }
    connector_ = connector->connector_id;
    crtc_ = *Resources(drmModeGetResources(card))->crtcs;
    plane_ = primary_plane(card);
    const drmModeModeInfo mode = mode_of(*connector);
    extent_ = {.width = mode.hdisplay, .height = mode.vdisplay};
    must(drmModeCreatePropertyBlob(card, &mode, sizeof(mode), &mode_blob_), "mode");
}

Display::~Display() {
    go_dark();
}

void Display::go_dark() noexcept {
    if (!is_lit_) {
        return;
    }
    try {
        // A flip under way has to end first, or the commit is refused.
        has_flipped(std::chrono::seconds(20));
        const int card = card_.get();
        const Request request(drmModeAtomicAlloc());
        set(card, request, plane_, "FB_ID", 0);
        set(card, request, plane_, "CRTC_ID", 0);
        set(card, request, connector_, "CRTC_ID", 0);
        set(card, request, crtc_, "MODE_ID", 0);
        set(card, request, crtc_, "ACTIVE", 0);
        must(drmModeAtomicCommit(card, request.get(), DRM_MODE_ATOMIC_ALLOW_MODESET, nullptr),
             "display off");
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
    }
}

uint32_t Display::add(const SharedBuffer& picture) {
    const int card = card_.get();
    uint32_t handle = 0;
    must(drmPrimeFDToHandle(card, picture.dma_buf, &handle), "import of the dma-buf");
    const uint32_t handles[4] = {handle};
    const uint32_t pitches[4] = {picture.pitch};
    const uint32_t offsets[4] = {picture.offset};
    uint32_t framebuffer = 0;
    const int added = drmModeAddFB2(card, extent_.width, extent_.height, xrgb8888, handles, pitches,
                                    offsets, &framebuffer, 0);
    // The framebuffer has a reference of its own. It goes when the card is closed.
    drmCloseBufferHandle(card, handle);
    must(added, "framebuffer");
    return framebuffer;
}

void Display::show(uint32_t framebuffer) {
    const int card = card_.get();
    const Request request(drmModeAtomicAlloc());
    set(card, request, connector_, "CRTC_ID", crtc_);
    set(card, request, crtc_, "MODE_ID", mode_blob_);
    set(card, request, crtc_, "ACTIVE", 1);
    set(card, request, plane_, "FB_ID", framebuffer);
    set(card, request, plane_, "CRTC_ID", crtc_);
    set(card, request, plane_, "CRTC_X", 0);
    set(card, request, plane_, "CRTC_Y", 0);
    set(card, request, plane_, "CRTC_W", extent_.width);
    set(card, request, plane_, "CRTC_H", extent_.height);
    set(card, request, plane_, "SRC_X", 0);
    set(card, request, plane_, "SRC_Y", 0);
    // The source's rectangle is in 16.16 fixed point.
    set(card, request, plane_, "SRC_W", uint64_t{extent_.width} << 16U);
    set(card, request, plane_, "SRC_H", uint64_t{extent_.height} << 16U);
    must(drmModeAtomicCommit(card, request.get(), DRM_MODE_ATOMIC_ALLOW_MODESET, nullptr),
         "display on");
    is_lit_ = true;
}

void Display::flip(uint32_t framebuffer) {
    const Request request(drmModeAtomicAlloc());
    set(card_.get(), request, plane_, "FB_ID", framebuffer);
    must(drmModeAtomicCommit(card_.get(), request.get(),
                             DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT, &flips_),
         "flip");
    ++flips_;
}

bool Display::has_flipped(std::chrono::milliseconds limit) {
    pollfd wanted{.fd = card_.get(), .events = POLLIN, .revents = 0};
    if (flips_ > 0 && ::poll(&wanted, 1, static_cast<int>(limit.count())) == 1) {
        drmEventContext handlers{};
        handlers.version = 2;
        handlers.page_flip_handler = [](int, unsigned, unsigned, unsigned, void* flips) {
            --*static_cast<int*>(flips);
        };
        must(drmHandleEvent(card_.get(), &handlers), "event");
    }
    return flips_ == 0;
}

} // namespace fencebridge::test
