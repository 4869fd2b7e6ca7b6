#include "present/x11/window.hpp"

#include "fence/unique_fd.hpp"
#include "present/drm_formats.hpp"

#include <drm_fourcc.h>

#include <algorithm>
#include <iterator>
#include <sys/stat.h>
#include <utility>

namespace fencebridge {

namespace {

// What the layer speaks. A server answers with what it speaks itself, or this where that is less.
constexpr uint32_t newest_minor = 4;
constexpr uint32_t oldest_minor = 2;

// presentproto 1.3 and 1.4, later than the oldest libxcb: what QueryCapabilities answers.
constexpr uint32_t capability_async_may_tear = 8;
constexpr uint32_t capability_syncobj = 16;

struct PixelsOfFormat {
    uint32_t format; ///< fourcc
    uint8_t depth;
    uint32_t red_mask;
};
constexpr PixelsOfFormat known_formats[] = {
    {DRM_FORMAT_XRGB8888, 24, 0xff0000},      {DRM_FORMAT_ARGB8888, 32, 0xff0000},
    {DRM_FORMAT_XBGR8888, 24, 0xff},          {DRM_FORMAT_ABGR8888, 32, 0xff},
    {DRM_FORMAT_XRGB2101010, 30, 0x3ff00000}, {DRM_FORMAT_XBGR2101010, 30, 0x3ff},
    {DRM_FORMAT_RGB565, 16, 0xf800},          {DRM_FORMAT_XRGB1555, 15, 0x7c00},
};

/// 0 where the screens have no such visual.
uint32_t red_mask_of(const xcb_setup_t* setup, xcb_visualid_t visual) {
    for (auto screens = xcb.setup_roots_iterator(setup); screens.rem > 0;
         xcb.screen_next(&screens)) {
        for (auto depths = xcb.screen_allowed_depths_iterator(screens.data); depths.rem > 0;
             xcb.depth_next(&depths)) {
            const std::span visuals(xcb.depth_visuals(depths.data),
                                    static_cast<size_t>(xcb.depth_visuals_length(depths.data)));
            const auto found = std::find_if(visuals.begin(), visuals.end(), [&](const auto& one) {
                return one.visual_id == visual;
            });
            if (found != visuals.end()) {
                return found->red_mask;
            }
        }
    }
    return 0;
}

uint8_t bits_per_pixel_of(const xcb_setup_t* setup, uint8_t depth) {
    const std::span formats(xcb.setup_pixmap_formats(setup),
                            static_cast<size_t>(xcb.setup_pixmap_formats_length(setup)));
    const auto found = std::find_if(formats.begin(), formats.end(),
                                    [&](const auto& one) { return one.depth == depth; });
    return found == formats.end() ? uint8_t{0} : found->bits_per_pixel;
}

/// Of `wanted` those that are in `list`, in the order of `wanted`.
std::vector<uint64_t> intersection(std::span<const uint64_t> wanted,
                                   std::span<const uint64_t> list) {
    std::vector<uint64_t> both;
    std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(both), [&](uint64_t one) {
        return std::find(list.begin(), list.end(), one) != list.end();
    });
    return both;
}

} // namespace

bool X11Pixels::are(VkFormat format) const {
    // A window of depth 32 has its alpha looked at, whatever the application says of it.
    const uint32_t drm = drm_format(format, depth == 32);
    return std::any_of(
        std::begin(known_formats), std::end(known_formats), [&](const PixelsOfFormat& one) {
            return one.format == drm && one.depth == depth && one.red_mask == red_mask;
        });
}

std::shared_ptr<const X11Window> X11Window::open(xcb_connection_t* connection, xcb_window_t id,
                                                 const char*& why_not) {
    if (!XcbClient::load()) {
        why_not = "there is no libxcb with DRI3 and Present of version 1.13 or later";
        return nullptr;
    }
    const std::shared_ptr<X11Window> window(new X11Window(connection, id));
    if (xcb.connection_has_error(connection) != 0 || !window->has_extensions()) {
        why_not = "the X server has no DRI3 1.2 and Present 1.2";
        return nullptr;
    }
    if (!window->read_pixels()) {
        why_not = "the X server knows no window like that";
        return nullptr;
    }
    window->read_capabilities();
    window->read_device();
    return window;
}

bool X11Window::has_extensions() const {
    // A request of an extension that is not there would end the connection.
    for (xcb_extension_t* const extension : {xcb.dri3_id, xcb.present_id}) {
        const xcb_query_extension_reply_t* const answer =
            xcb.get_extension_data(connection_, extension);
        if (answer == nullptr || answer->present == 0) {
            return false;
        }
    }
    const auto dri3_cookie = xcb.dri3_query_version(connection_, 1, newest_minor);
    const auto present_cookie = xcb.present_query_version(connection_, 1, newest_minor);
    const XcbPtr<xcb_dri3_query_version_reply_t> dri3(
        xcb.dri3_query_version_reply(connection_, dri3_cookie, nullptr));
    const XcbPtr<xcb_present_query_version_reply_t> present(
        xcb.present_query_version_reply(connection_, present_cookie, nullptr));
    const auto is_new_enough = [](const auto& version) {
        return version && std::pair(version->major_version, version->minor_version) >=
                              std::pair(uint32_t{1}, oldest_minor);
    };
    return is_new_enough(dri3) && is_new_enough(present);
}

bool X11Window::read_pixels() {
    const auto attributes_cookie = xcb.get_window_attributes(connection_, id_);
    const auto geometry_cookie = xcb.get_geometry(connection_, id_);
    const XcbPtr<xcb_get_window_attributes_reply_t> attributes(
        xcb.get_window_attributes_reply(connection_, attributes_cookie, nullptr));
    const XcbPtr<xcb_get_geometry_reply_t> geometry(
        xcb.get_geometry_reply(connection_, geometry_cookie, nullptr));
    if (!attributes || !geometry) {
        return false;
    }
    const xcb_setup_t* const setup = xcb.get_setup(connection_);
    pixels_ = {
        .depth = geometry->depth,
        .bits_per_pixel = bits_per_pixel_of(setup, geometry->depth),
        .red_mask = red_mask_of(setup, attributes->visual),
    };
    return true;
}

void X11Window::read_capabilities() {
    const XcbPtr<xcb_present_query_capabilities_reply_t> answer(
        xcb.present_query_capabilities_reply(
            connection_, xcb.present_query_capabilities(connection_, id_), nullptr));
    const uint32_t capabilities = answer ? answer->capabilities : 0;
    may_tear_ = (capabilities & capability_async_may_tear) != 0;
    offers_explicit_sync_ = (capabilities & capability_syncobj) != 0;
}

void X11Window::read_device() {
    const XcbPtr<xcb_dri3_open_reply_t> answer(
        xcb.dri3_open_reply(connection_, xcb.dri3_open(connection_, id_, XCB_NONE), nullptr));
    if (!answer) {
        return;
    }
    const std::span fds(xcb.dri3_open_reply_fds(connection_, answer.get()), answer->nfd);
    for (const int fd : fds) {
        const UniqueFd node(fd);
        struct stat status{};
        if (::fstat(node.get(), &status) == 0) {
            device_ = status.st_rdev;
        }
    }
}

std::optional<VkExtent2D> X11Window::size() const {
    const XcbPtr<xcb_get_geometry_reply_t> geometry(
        xcb.get_geometry_reply(connection_, xcb.get_geometry(connection_, id_), nullptr));
    if (!geometry) {
        return std::nullopt;
    }
    return VkExtent2D{geometry->width, geometry->height};
}

std::vector<std::vector<uint64_t>> X11Window::modifier_sets(std::span<const uint64_t> usable,
                                                            std::span<const dev_t> nodes) const {
    const XcbPtr<xcb_dri3_get_supported_modifiers_reply_t> answer(
        xcb.dri3_get_supported_modifiers_reply(
            connection_,
            xcb.dri3_get_supported_modifiers(connection_, id_, pixels_.depth,
                                             pixels_.bits_per_pixel),
            nullptr));
    std::span<const uint64_t> for_window;
    std::span<const uint64_t> for_screen;
    if (answer) {
        for_window = {xcb.dri3_get_supported_modifiers_window_modifiers(answer.get()),
                      static_cast<size_t>(
                          xcb.dri3_get_supported_modifiers_window_modifiers_length(answer.get()))};
        for_screen = {xcb.dri3_get_supported_modifiers_screen_modifiers(answer.get()),
                      static_cast<size_t>(
                          xcb.dri3_get_supported_modifiers_screen_modifiers_length(answer.get()))};
    }
    // What another device than the images' own reads must be linear.
    constexpr uint64_t linear[] = {DRM_FORMAT_MOD_LINEAR};
    const bool is_ours = device_ && std::find(nodes.begin(), nodes.end(), *device_) != nodes.end();
    const std::vector<uint64_t> makeable = is_ours
                                               ? std::vector<uint64_t>(usable.begin(), usable.end())
                                               : intersection(linear, usable);
    std::vector<std::vector<uint64_t>> sets;
    // The last but one is not asked for: most servers take linear pixmaps, whatever they name.
    for (auto set : {intersection(makeable, for_window), intersection(makeable, for_screen),
                     intersection(linear, usable)}) {
        if (!set.empty() && std::find(sets.begin(), sets.end(), set) == sets.end()) {
            sets.push_back(std::move(set));
        }
    }
    sets.emplace_back();
    return sets;
}

} // namespace fencebridge
