// A stand-in for compositors that no package has: one that speaks linux-dmabuf 3 and nothing newer,
// one with shared memory alone, one that takes no client's dma-buf. It draws nothing: it keeps the
// last picture of every surface, as compositors do, and tells what it saw of its clients.
//
//   fencebridge-small-compositor SOCKET dmabuf3|unnamed|refusing|fickle|mortal|hiding|shm
//
// dmabuf3: linear and nothing else; unnamed: no modifier for any format; refusing: as dmabuf3, but
// every buffer that a client asks about first (zwp_linux_buffer_params_v1.create) has failed;
// fickle: so from its first picture on, and it has fifo-v1, of which a surface may have one object
// only; mortal: as dmabuf3, and it ends with its fifth picture; hiding: as dmabuf3, and its windows
// are all covered: it has fifo-v1, whose barriers hold nothing back there, and presentation-time,
// but presents no content and asks for no frame; what another commit supersedes is discarded. The
// others end with their last client. Then a line of JSON tells.
#include "fifo-v1-server-protocol.h"
#include "linux-dmabuf-v1-server-protocol.h"
#include "presentation-time-server-protocol.h"
#include "support/readiness.hpp"
#include "xdg-shell-server-protocol.h"

#include <drm/drm_fourcc.h>
#include <nlohmann/json.hpp>
#include <wayland-server.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <poll.h>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr int refresh_ms = 16;
constexpr int longest_life_ms = 120'000; ///< should no client ever come
constexpr unsigned mortal_pictures = 5;
constexpr uint32_t dmabuf_version = 3;

/// What its clients did.
struct Seen {
    unsigned pictures = 0;  ///< commits of a new buffer
    unsigned dma_bufs = 0;  ///< of them those in dma-bufs
    unsigned pending = 0;   ///< of them those with work pending for a reader
    unsigned refused = 0;   ///< buffers
    unsigned fifos = 0;     ///< wp_fifo_v1 objects, one after the other
    unsigned discarded = 0; ///< contents that somebody had asked about
    std::set<uint64_t> modifiers;
    std::vector<std::array<int32_t, 4>> damage; ///< of the last picture, in its pixels
};

struct Surface;

struct Server {
    wl_display* display = nullptr;
    wl_event_source* refresh = nullptr;
    std::string kind;
    Seen seen;
    std::set<Surface*> surfaces;
    wl_listener new_client{};
    wl_listener client_gone{}; ///< of the last that came: tests have one at a time
};

/// A dma-buf of a client's; the first plane's stands for all.
struct DmaBuf {
    int fd = -1;
    uint64_t modifier = 0;
    ~DmaBuf() {
        if (fd >= 0) {
            ::close(fd);
        }
    }
};

/// Pending and current state of a wl_surface.
struct Surface {
    Server* server = nullptr;
    wl_resource* attached = nullptr; ///< since the last commit
    bool has_new = false;
    bool has_fifo = false;
    wl_resource* shown = nullptr;
    std::vector<wl_resource*> frames;   ///< callbacks, committed or about to be
    std::vector<wl_resource*> asked;    ///< wp_presentation_feedback, since the last commit
    std::vector<wl_resource*> followed; ///< those of the last commit
    std::vector<std::array<int32_t, 4>> damage;
    wl_listener attached_gone{};
    wl_listener shown_gone{};
};

template<typename T>
T& of(wl_resource* resource) {
    return *static_cast<T*>(wl_resource_get_user_data(resource));
}
void destroy(wl_client* /*client*/, wl_resource* resource) {
    wl_resource_destroy(resource);
}
wl_resource* make(wl_client* client, const wl_interface& interface, int version, uint32_t id,
                  const void* implementation, void* data,
                  wl_resource_destroy_func_t end = nullptr) {
    wl_resource* const made = wl_resource_create(client, &interface, version, id);
    wl_resource_set_implementation(made, implementation, data, end);
    return made;
}
template<typename T>
void delete_data(wl_resource* resource) {
    delete &of<T>(resource);
}

void forget(wl_listener& listener) {
    if (listener.link.next != nullptr) {
        wl_list_remove(&listener.link);
        listener.link = {};
    }
}
/// Of a buffer that its client destroys.
void watch(wl_resource* buffer, wl_listener& listener, wl_notify_func_t notify) {
    forget(listener);
    if (buffer != nullptr) {
        listener.notify = notify;
        wl_resource_add_destroy_listener(buffer, &listener);
    }
}

const struct wl_buffer_interface buffer_calls{.destroy = destroy};

/// The dma-buf behind a wl_buffer; null: shared memory.
const DmaBuf* dma_buf_of(wl_resource* buffer) {
    return wl_resource_instance_of(buffer, &wl_buffer_interface, &buffer_calls) != 0
               ? &of<DmaBuf>(buffer)
               : nullptr;
}

void attach(wl_client* /*client*/, wl_resource* resource, wl_resource* buffer, int32_t /*x*/,
            int32_t /*y*/) {
    auto& self = of<Surface>(resource);
    self.attached = buffer;
    self.has_new = true;
    watch(buffer, self.attached_gone, [](wl_listener* listener, void* /*data*/) {
        Surface* const surface = wl_container_of(listener, surface, attached_gone);
        forget(surface->attached_gone);
        surface->attached = nullptr;
    });
}

void commit(wl_client* /*client*/, wl_resource* resource) {
    auto& self = of<Surface>(resource);
    if (std::exchange(self.has_new, false)) {
        if (self.shown != nullptr && self.shown != self.attached) {
            wl_buffer_send_release(self.shown);
        }
        self.shown = std::exchange(self.attached, nullptr);
        forget(self.attached_gone);
        watch(self.shown, self.shown_gone, [](wl_listener* listener, void* /*data*/) {
            Surface* const surface = wl_container_of(listener, surface, shown_gone);
            forget(surface->shown_gone);
            surface->shown = nullptr;
        });
        if (self.shown != nullptr) {
            Seen& seen = self.server->seen;
            if (++seen.pictures == mortal_pictures && self.server->kind == "mortal") {
                wl_display_terminate(self.server->display);
            }
            seen.damage = std::exchange(self.damage, {});
            if (const DmaBuf* const dma_buf = dma_buf_of(self.shown)) {
                ++seen.dma_bufs;
                seen.modifiers.insert(dma_buf->modifier);
                seen.pending += is_ready(dma_buf->fd, POLLIN) ? 0U : 1U;
            } else {
                // Drawn, as far as anybody will draw it.
                wl_buffer_send_release(std::exchange(self.shown, nullptr));
                forget(self.shown_gone);
            }
        }
    }
    for (wl_resource* const feedback :
         std::exchange(self.followed, std::exchange(self.asked, {}))) {
        ++self.server->seen.discarded;
        wp_presentation_feedback_send_discarded(feedback);
        wl_resource_destroy(feedback);
    }
    if (self.server->kind != "hiding") {
        wl_event_source_timer_update(self.server->refresh, refresh_ms);
    }
}

int refresh(void* data) {
    for (Surface* const surface : static_cast<Server*>(data)->surfaces) {
        for (wl_resource* const frame : std::exchange(surface->frames, {})) {
            wl_callback_send_done(frame, 0);
            wl_resource_destroy(frame);
        }
    }
    return 0;
}

const struct wl_surface_interface surface_calls{
    .destroy = destroy,
    .attach = attach,
    .damage = [](wl_client*, wl_resource*, int32_t, int32_t, int32_t, int32_t) {},
    .frame =
        [](wl_client* client, wl_resource* resource, uint32_t id) {
            auto& self = of<Surface>(resource);
            self.frames.push_back(
                make(client, wl_callback_interface, 1, id, nullptr, &self,
                     [](wl_resource* frame) { std::erase(of<Surface>(frame).frames, frame); }));
        },
    .set_opaque_region = [](wl_client*, wl_resource*, wl_resource*) {},
    .set_input_region = [](wl_client*, wl_resource*, wl_resource*) {},
    .commit = commit,
    .set_buffer_transform = [](wl_client*, wl_resource*, int32_t) {},
    .set_buffer_scale = [](wl_client*, wl_resource*, int32_t) {},
    .damage_buffer =
        [](wl_client*, wl_resource* resource, int32_t x, int32_t y, int32_t width, int32_t height) {
            of<Surface>(resource).damage.push_back({x, y, width, height});
        },
};

const struct wl_region_interface region_calls{
    .destroy = destroy,
    .add = [](wl_client*, wl_resource*, int32_t, int32_t, int32_t, int32_t) {},
    .subtract = [](wl_client*, wl_resource*, int32_t, int32_t, int32_t, int32_t) {},
};

void end_surface(wl_resource* resource) {
    const std::unique_ptr<Surface> self(&of<Surface>(resource));
    for (wl_resource* const frame : std::exchange(self->frames, {})) {
        wl_resource_set_destructor(frame, nullptr);
        wl_resource_destroy(frame);
    }
    for (auto* const feedbacks : {&self->asked, &self->followed}) {
        for (wl_resource* const feedback : std::exchange(*feedbacks, {})) {
            wl_resource_set_destructor(feedback, nullptr);
            wl_resource_destroy(feedback);
        }
    }
    forget(self->attached_gone);
    forget(self->shown_gone);
    self->server->surfaces.erase(self.get());
}

const struct wl_compositor_interface compositor_calls{
    .create_surface =
        [](wl_client* client, wl_resource* resource, uint32_t id) {
            auto* const surface = new Surface{.server = &of<Server>(resource)};
            surface->server->surfaces.insert(surface);
            make(client, wl_surface_interface, wl_resource_get_version(resource), id,
                 &surface_calls, surface, end_surface);
        },
    .create_region =
        [](wl_client* client, wl_resource* /*resource*/, uint32_t id) {
            make(client, wl_region_interface, 1, id, &region_calls, nullptr);
        },
};

// Windows: configured once, moved and sized by nobody.
const struct xdg_toplevel_interface toplevel_calls{
    .destroy = destroy,
    .set_parent = [](wl_client*, wl_resource*, wl_resource*) {},
    .set_title = [](wl_client*, wl_resource*, const char*) {},
    .set_app_id = [](wl_client*, wl_resource*, const char*) {},
    .show_window_menu = [](wl_client*, wl_resource*, wl_resource*, uint32_t, int32_t, int32_t) {},
    .move = [](wl_client*, wl_resource*, wl_resource*, uint32_t) {},
    .resize = [](wl_client*, wl_resource*, wl_resource*, uint32_t, uint32_t) {},
    .set_max_size = [](wl_client*, wl_resource*, int32_t, int32_t) {},
    .set_min_size = [](wl_client*, wl_resource*, int32_t, int32_t) {},
    .set_maximized = [](wl_client*, wl_resource*) {},
    .unset_maximized = [](wl_client*, wl_resource*) {},
    .set_fullscreen = [](wl_client*, wl_resource*, wl_resource*) {},
    .unset_fullscreen = [](wl_client*, wl_resource*) {},
    .set_minimized = [](wl_client*, wl_resource*) {},
};
const struct xdg_surface_interface role_calls{
    .destroy = destroy,
    .get_toplevel =
        [](wl_client* client, wl_resource* role, uint32_t id) {
            wl_resource* const toplevel =
                make(client, xdg_toplevel_interface, 1, id, &toplevel_calls, nullptr);
            wl_array states;
            wl_array_init(&states);
            xdg_toplevel_send_configure(toplevel, 0, 0, &states);
            xdg_surface_send_configure(role, 1);
        },
    .get_popup = [](wl_client*, wl_resource*, uint32_t, wl_resource*, wl_resource*) {},
    .set_window_geometry = [](wl_client*, wl_resource*, int32_t, int32_t, int32_t, int32_t) {},
    .ack_configure = [](wl_client*, wl_resource*, uint32_t) {},
};
const struct xdg_wm_base_interface shell_calls{
    .destroy = destroy,
    .create_positioner = [](wl_client*, wl_resource*, uint32_t) {},
    .get_xdg_surface =
        [](wl_client* client, wl_resource*, uint32_t id, wl_resource*) {
            make(client, xdg_surface_interface, 1, id, &role_calls, nullptr);
        },
    .pong = [](wl_client*, wl_resource*, uint32_t) {},
};

/// A zwp_linux_buffer_params_v1.
struct Params {
    Server* server = nullptr;
    std::unique_ptr<DmaBuf> dma_buf = std::make_unique<DmaBuf>();
};
const struct zwp_linux_buffer_params_v1_interface params_calls{
    .destroy = destroy,
    .add =
        [](wl_client*, wl_resource* resource, int32_t fd, uint32_t plane, uint32_t, uint32_t,
           uint32_t high, uint32_t low) {
            DmaBuf& dma_buf = *of<Params>(resource).dma_buf;
            if (plane != 0) {
                ::close(fd);
                return;
            }
            dma_buf.fd = fd;
            dma_buf.modifier = uint64_t{high} << 32 | low;
        },
    .create =
        [](wl_client* client, wl_resource* resource, int32_t, int32_t, uint32_t, uint32_t) {
            auto& self = of<Params>(resource);
            const std::string& kind = self.server->kind;
            if (kind == "refusing" || (kind == "fickle" && self.server->seen.pictures > 0)) {
                ++self.server->seen.refused;
                zwp_linux_buffer_params_v1_send_failed(resource);
                return;
            }
            wl_resource* const buffer = make(client, wl_buffer_interface, 1, 0, &buffer_calls,
                                             self.dma_buf.release(), delete_data<DmaBuf>);
            zwp_linux_buffer_params_v1_send_created(resource, buffer);
        },
    .create_immed =
        [](wl_client* client, wl_resource* resource, uint32_t id, int32_t, int32_t, uint32_t,
           uint32_t) {
            make(client, wl_buffer_interface, 1, id, &buffer_calls,
                 of<Params>(resource).dma_buf.release(), delete_data<DmaBuf>);
        },
};
const struct zwp_linux_dmabuf_v1_interface dmabuf_calls{
    .destroy = destroy,
    .create_params =
        [](wl_client* client, wl_resource* resource, uint32_t id) {
            make(client, zwp_linux_buffer_params_v1_interface, wl_resource_get_version(resource),
                 id, &params_calls, new Params{.server = &of<Server>(resource)},
                 delete_data<Params>);
        },
    // Of version 4: out of reach.
    .get_default_feedback = nullptr,
    .get_surface_feedback = nullptr,
};

void bind_dmabuf(wl_client* client, void* data, uint32_t version, uint32_t id) {
    wl_resource* const dmabuf = make(client, zwp_linux_dmabuf_v1_interface,
                                     static_cast<int>(version), id, &dmabuf_calls, data);
    const uint64_t modifier = static_cast<Server*>(data)->kind == "unnamed" ? DRM_FORMAT_MOD_INVALID
                                                                            : DRM_FORMAT_MOD_LINEAR;
    for (const uint32_t format : {DRM_FORMAT_XRGB8888, DRM_FORMAT_ARGB8888}) {
        zwp_linux_dmabuf_v1_send_format(dmabuf, format);
        zwp_linux_dmabuf_v1_send_modifier(dmabuf, format, static_cast<uint32_t>(modifier >> 32),
                                          static_cast<uint32_t>(modifier));
    }
}

const struct wp_fifo_v1_interface fifo_calls{
    .set_barrier = [](wl_client*, wl_resource*) {},
    .wait_barrier = [](wl_client*, wl_resource*) {},
    .destroy = destroy,
};
/// A wp_fifo_v1, which may outlive its surface.
struct Fifo {
    Server* server = nullptr;
    Surface* surface = nullptr;
};
void end_fifo(wl_resource* resource) {
    const std::unique_ptr<Fifo> self(&of<Fifo>(resource));
    if (self->server->surfaces.contains(self->surface)) {
        self->surface->has_fifo = false;
    }
}
const struct wp_fifo_manager_v1_interface fifo_manager_calls{
    .destroy = destroy,
    .get_fifo =
        [](wl_client* client, wl_resource* resource, uint32_t id, wl_resource* its) {
            auto& surface = of<Surface>(its);
            if (surface.has_fifo) {
                wl_resource_post_error(resource, WP_FIFO_MANAGER_V1_ERROR_ALREADY_EXISTS,
                                       "the surface has a wp_fifo_v1");
                return;
            }
            surface.has_fifo = true;
            ++surface.server->seen.fifos;
            make(client, wp_fifo_v1_interface, 1, id, &fifo_calls,
                 new Fifo{surface.server, &surface}, end_fifo);
        },
};

const struct wp_presentation_interface presentation_calls{
    .destroy = destroy,
    .feedback =
        [](wl_client* client, wl_resource*, wl_resource* its, uint32_t id) {
            auto& surface = of<Surface>(its);
            surface.asked.push_back(make(client, wp_presentation_feedback_interface, 1, id, nullptr,
                                         &surface, [](wl_resource* feedback) {
                                             std::erase(of<Surface>(feedback).asked, feedback);
                                             std::erase(of<Surface>(feedback).followed, feedback);
                                         }));
        },
};

int run(const char* socket, const char* kind) {
    Server server{.display = wl_display_create(), .kind = kind};
    wl_display* const display = server.display;
    wl_event_loop* const loop = wl_display_get_event_loop(display);
    server.refresh = wl_event_loop_add_timer(loop, refresh, &server);
    const auto end = [](void* data) {
        wl_display_terminate(static_cast<wl_display*>(data));
        return 0;
    };
    wl_event_source_timer_update(wl_event_loop_add_timer(loop, end, display), longest_life_ms);
    server.new_client.notify = [](wl_listener* listener, void* client) {
        Server* const self = wl_container_of(listener, self, new_client);
        self->client_gone.notify = [](wl_listener* gone, void* /*client*/) {
            Server* const its = wl_container_of(gone, its, client_gone);
            wl_display_terminate(its->display);
        };
        wl_client_add_destroy_listener(static_cast<wl_client*>(client), &self->client_gone);
    };
    wl_display_add_client_created_listener(display, &server.new_client);
    wl_global_create(display, &wl_compositor_interface, 4, &server,
                     [](wl_client* client, void* data, uint32_t version, uint32_t id) {
                         make(client, wl_compositor_interface, static_cast<int>(version), id,
                              &compositor_calls, data);
                     });
    wl_global_create(display, &xdg_wm_base_interface, 1, &server,
                     [](wl_client* client, void* data, uint32_t /*version*/, uint32_t id) {
                         make(client, xdg_wm_base_interface, 1, id, &shell_calls, data);
                     });
    wl_display_init_shm(display);
    if (server.kind != "shm") {
        wl_global_create(display, &zwp_linux_dmabuf_v1_interface, dmabuf_version, &server,
                         bind_dmabuf);
    }
    if (server.kind == "fickle" || server.kind == "hiding") {
        wl_global_create(display, &wp_fifo_manager_v1_interface, 1, &server,
                         [](wl_client* client, void* data, uint32_t /*version*/, uint32_t id) {
                             make(client, wp_fifo_manager_v1_interface, 1, id, &fifo_manager_calls,
                                  data);
                         });
    }
    if (server.kind == "hiding") {
        wl_global_create(display, &wp_presentation_interface, 1, &server,
                         [](wl_client* client, void* data, uint32_t /*version*/, uint32_t id) {
                             wp_presentation_send_clock_id(make(client, wp_presentation_interface,
                                                                1, id, &presentation_calls, data),
                                                           CLOCK_MONOTONIC);
                         });
    }
    // It gets its name when it listens: whoever sees it can connect.
    const std::filesystem::path folder(std::getenv("XDG_RUNTIME_DIR"));
    if (wl_display_add_socket(display, "starting") != 0) {
        std::perror("its socket");
        return 1;
    }
    std::filesystem::rename(folder / "starting", folder / socket);
    wl_display_run(display);
    const Seen seen = server.seen;
    const nlohmann::json told{
        {"pictures", seen.pictures}, {"dma_bufs", seen.dma_bufs},   {"pending", seen.pending},
        {"refused", seen.refused},   {"modifiers", seen.modifiers}, {"damage", seen.damage},
        {"fifos", seen.fifos},       {"discarded", seen.discarded},
    };
    std::puts(told.dump().c_str());
    std::fflush(stdout);
    // As a compositor that has crashed: what it had goes with it.
    std::_Exit(0);
}

} // namespace
} // namespace fencebridge::test

int main(int count, char** words) {
    if (count != 3) {
        std::fprintf(stderr, "usage: %s SOCKET dmabuf3|unnamed|refusing|fickle|mortal|hiding|shm\n",
                     words[0]);
        return 2;
    }
    return fencebridge::test::run(words[1], words[2]);
}
