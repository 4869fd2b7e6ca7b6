#include "present/wayland/presenter.hpp"

#include "present/drm_device.hpp"
#include "report/log.hpp"

#include <drm_fourcc.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

namespace fencebridge {

namespace {

/// The answer to a zwp_linux_buffer_params_v1.create.
struct BufferAnswer {
    WaylandPtr<wl_buffer> buffer;
    bool has_come = false;
};

constexpr zwp_linux_buffer_params_v1_listener params_listener{
    .created =
        [](void* data, zwp_linux_buffer_params_v1* /*params*/, wl_buffer* buffer) {
            auto& answer = *static_cast<BufferAnswer*>(data);
            answer.buffer.reset(buffer);
            answer.has_come = true;
        },
    .failed =
        [](void* data, zwp_linux_buffer_params_v1* /*params*/) {
            static_cast<BufferAnswer*>(data)->has_come = true;
        },
};

} // namespace

struct WaylandPresenterListener {
    static constexpr wl_buffer_listener buffer{
        .release =
            [](void* data, wl_buffer* /*buffer*/) {
                const auto& self = *static_cast<WaylandPresenter::Buffer*>(data);
                self.releases->released(self.image);
            },
    };
    static constexpr wl_callback_listener frame{
        .done = [](void* data, wl_callback* /*callback*/,
                   uint32_t /*time*/) { static_cast<WaylandPresenter*>(data)->frame_.reset(); },
    };
};

WaylandPresenter::WaylandPresenter(std::shared_ptr<WaylandConnection> connection, uint32_t format,
                                   const Device& device)
    : connection_(std::move(connection)), format_(format), nodes_(drm_nodes(device)),
      feedback_(*connection_), extensions_(connection_->extensions()),
      explicit_sync_(ExplicitSync::make(*connection_, device)) {}

WaylandPresenter::~WaylandPresenter() {
    // Another swapchain's thread may be handling the surface's events.
    const auto held = connection_->queue.hold();
    buffers_.clear();
    frame_.reset();
}

std::vector<std::vector<uint64_t>>
WaylandPresenter::modifier_sets(std::span<const uint64_t> usable) {
    const auto held = connection_->queue.hold();
    usable_.assign(usable.begin(), usable.end());
    auto sets = connection_->formats->modifier_sets(format_, usable, nodes_);
    generation_ = connection_->formats->generation();
    if (!sets.empty()) {
        best_ = sets.front();
    }
    return sets;
}

/// Whether the compositor likes others better now: it may want to scan the surface out, or no
/// longer.
bool WaylandPresenter::is_suboptimal() noexcept {
    const auto held = connection_->queue.hold();
    if (connection_->formats->generation() == generation_) {
        return suboptimal_;
    }
    generation_ = connection_->formats->generation();
    try {
        const auto sets = connection_->formats->modifier_sets(format_, usable_, nodes_);
        suboptimal_ = !sets.empty() && sets.front() != best_;
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "linux-dmabuf: %s", problem.what());
    }
    return suboptimal_;
}

uint32_t WaylandPresenter::fewest_images(VkPresentModeKHR mode) const {
    // One on the screen, one that waits to come there, one that is drawn; and where presents do not
    // wait for the screen one more, for a compositor may hold two until the next frame.
    return mode == VK_PRESENT_MODE_FIFO_KHR ? 3 : 4;
}

WaylandPtr<wl_buffer> WaylandPresenter::make_buffer(const SwapchainImage& image) {
    const WaylandPtr<zwp_linux_buffer_params_v1> params(
        zwp_linux_dmabuf_v1_create_params(connection_->dmabuf.get()));
    const auto dma_buf = image.memory()->dma_buf();
    if (!params || !dma_buf) {
        return nullptr;
    }
    const ImageLayout& layout = image.layout();
    // Linear images of no named modifier are what others call linear, and the other way round.
    const bool is_linear =
        layout.modifier == DRM_FORMAT_MOD_INVALID || layout.modifier == DRM_FORMAT_MOD_LINEAR;
    const bool names_linear = connection_->formats->offers(format_, DRM_FORMAT_MOD_LINEAR);
    const uint64_t linear = names_linear ? DRM_FORMAT_MOD_LINEAR : DRM_FORMAT_MOD_INVALID;
    const uint64_t modifier = is_linear ? linear : layout.modifier;
    for (uint32_t i = 0; i < layout.planes.size(); ++i) {
        zwp_linux_buffer_params_v1_add(
            params.get(), dma_buf->fd(), i, layout.planes[i].offset, layout.planes[i].pitch,
            static_cast<uint32_t>(modifier >> 32), static_cast<uint32_t>(modifier));
    }
    BufferAnswer answer;
    zwp_linux_buffer_params_v1_add_listener(params.get(), &params_listener, &answer);
    // Not create_immed: what a compositor cannot use would end the application's connection.
    zwp_linux_buffer_params_v1_create(params.get(), static_cast<int32_t>(image.extent().width),
                                      static_cast<int32_t>(image.extent().height), format_, 0);
    for (;;) {
        const uint64_t seen = connection_->queue.handled();
        {
            const auto held = connection_->queue.hold();
            if (answer.has_come) {
                return std::move(answer.buffer);
            }
        }
        if (connection_->queue.dispatch(seen, std::nullopt) != VK_SUCCESS) {
            return nullptr;
        }
    }
}

bool WaylandPresenter::take(std::span<const SwapchainImage> images, ImageReleases& releases) {
    {
        const auto held = connection_->queue.hold();
        buffers_.clear();
    }
    for (const SwapchainImage& image : images) {
        Buffer& buffer = buffers_.emplace_back();
        buffer.releases = &releases;
        buffer.image = static_cast<uint32_t>(buffers_.size() - 1);
        buffer.proxy = make_buffer(image);
        if (!buffer.proxy) {
            return false;
        }
    }
    if (explicit_sync_ && !explicit_sync_->take(images, releases)) {
        log(LogLevel::Warn, "no timelines for linux-drm-syncobj: the dma-bufs' fences have to do");
        explicit_sync_.reset();
    }
    if (!explicit_sync_) {
        // A retired swapchain's: with it the compositor would ask for points of our buffers, too.
        extensions_->syncobj.reset();
        for (Buffer& buffer : buffers_) {
            wl_buffer_add_listener(buffer.proxy.get(), &WaylandPresenterListener::buffer, &buffer);
        }
    }
    return true;
}

bool WaylandPresenter::awaits_frame() noexcept {
    const auto held = connection_->queue.hold();
    return frame_ != nullptr;
}

/// FIFO, without fifo-v1: until the compositor has taken the last frame, or the deadline.
VkResult WaylandPresenter::wait_for_frame(Deadline deadline) noexcept {
    for (;;) {
        const uint64_t seen = connection_->queue.handled();
        if (!awaits_frame()) {
            return VK_SUCCESS;
        }
        const VkResult result = connection_->queue.dispatch(seen, deadline);
        if (result != VK_SUCCESS) {
            return result;
        }
    }
}

void WaylandPresenter::ask_for_tearing(bool wanted) noexcept {
    if (wanted == extensions_->may_tear || !connection_->tearing_manager) {
        return;
    }
    if (!extensions_->tearing) {
        extensions_->tearing.reset(wp_tearing_control_manager_v1_get_tearing_control(
            connection_->tearing_manager.get(), connection_->surface.get()));
    }
    if (extensions_->tearing) {
        wp_tearing_control_v1_set_presentation_hint(
            extensions_->tearing.get(), wanted ? WP_TEARING_CONTROL_V1_PRESENTATION_HINT_ASYNC
                                               : WP_TEARING_CONTROL_V1_PRESENTATION_HINT_VSYNC);
    }
    extensions_->may_tear = wanted;
}

void WaylandPresenter::damage(const PresentRequest& request) noexcept {
    wl_surface* const surface = connection_->surface.get();
    if (wl_surface_get_version(surface) < WL_SURFACE_DAMAGE_BUFFER_SINCE_VERSION) {
        // In the surface's coordinates, which nothing here knows.
        wl_surface_damage(surface, 0, 0, INT32_MAX, INT32_MAX);
        return;
    }
    if (request.damage.empty()) {
        wl_surface_damage_buffer(surface, 0, 0, INT32_MAX, INT32_MAX);
    }
    for (const VkRectLayerKHR& area : request.damage) {
        wl_surface_damage_buffer(surface, area.offset.x, area.offset.y,
                                 static_cast<int32_t>(area.extent.width),
                                 static_cast<int32_t>(area.extent.height));
    }
}

VkResult WaylandPresenter::show(const PresentRequest& request) noexcept {
    if (extensions_->is_drivers) {
        return VK_ERROR_OUT_OF_DATE_KHR;
    }
    wl_surface* const surface = connection_->surface.get();
    const bool is_fifo = request.mode == VK_PRESENT_MODE_FIFO_KHR;
    if (is_fifo && connection_->fifo_manager && !extensions_->fifo) {
        extensions_->fifo.reset(
            wp_fifo_manager_v1_get_fifo(connection_->fifo_manager.get(), surface));
    }
    wp_fifo_v1* const fifo = is_fifo ? extensions_->fifo.get() : nullptr;
    if (is_fifo && fifo == nullptr &&
        wait_for_frame(request.deadline) == VK_ERROR_SURFACE_LOST_KHR) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    ask_for_tearing(request.mode == VK_PRESENT_MODE_IMMEDIATE_KHR);
    if (request.id != 0) {
        feedback_.ask(request.id);
    }
    wl_surface_attach(surface, buffers_[request.image].proxy.get(), 0, 0);
    if (explicit_sync_) {
        explicit_sync_->show(request.image);
    }
    damage(request);
    if (fifo != nullptr) {
        wp_fifo_v1_wait_barrier(fifo);
        wp_fifo_v1_set_barrier(fifo);
    } else if (is_fifo) {
        const auto held = connection_->queue.hold();
        frame_.reset(wl_surface_frame(surface));
        if (frame_) {
            wl_callback_add_listener(frame_.get(), &WaylandPresenterListener::frame, this);
        }
    }
    wl_surface_commit(surface);
    if (fifo != nullptr && request.id != 0) {
        // Of a window that nobody sees no compositor says that its content was presented; that it
        // was superseded it does say. Behind the barrier this changes nothing for one in sight.
        wp_fifo_v1_wait_barrier(fifo);
        wl_surface_commit(surface);
    }
    (void)wayland.display_flush(connection_->display);
    if (!connection_->queue.dispatch_pending() ||
        wayland.display_get_error(connection_->display) != 0) {
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    return is_suboptimal() ? VK_SUBOPTIMAL_KHR : VK_SUCCESS;
}

VkResult WaylandPresenter::listen(Deadline deadline) noexcept {
    if (explicit_sync_ && explicit_sync_->collect()) {
        return VK_SUCCESS;
    }
    const Deadline patience = explicit_sync_ ? explicit_sync_->patience(deadline) : deadline;
    const VkResult result =
        connection_->queue.dispatch(seen_, patience, explicit_sync_ ? explicit_sync_->event() : -1);
    // The caller looks for an idle image only now.
    seen_ = connection_->queue.handled();
    const bool has_any = explicit_sync_ && explicit_sync_->collect();
    return result == VK_TIMEOUT && (has_any || patience != deadline) ? VK_SUCCESS : result;
}

VkResult WaylandPresenter::wait_until_shown(uint64_t id, Deadline deadline) noexcept {
    return feedback_.wait(id, deadline);
}

void WaylandPresenter::yield() noexcept {
    extensions_->yield();
}

} // namespace fencebridge
