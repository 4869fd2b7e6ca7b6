#include "present/wayland/explicit_sync.hpp"

#include "fence/dma_buf.hpp"
#include "fence/sync_file.hpp"
#include "present/drm_device.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fencebridge {

namespace {

/// The protocol has points in halves.
uint32_t high(uint64_t point) {
    return static_cast<uint32_t>(point >> 32);
}
uint32_t low(uint64_t point) {
    return static_cast<uint32_t>(point);
}

} // namespace

std::unique_ptr<ExplicitSync> ExplicitSync::make(WaylandConnection& connection,
                                                 const Device& device) {
    if (!connection.syncobj_manager || !device.instance->settings.explicit_sync) {
        return nullptr;
    }
    // The images' own device where it has a node, else the compositor's.
    std::vector<dev_t> nodes = drm_nodes(device);
    const std::vector<dev_t> theirs = connection.formats->devices();
    nodes.insert(nodes.end(), theirs.begin(), theirs.end());
    auto timelines = SyncobjDevice::open(nodes);
    static Once once;
    if (once.first()) {
        log(LogLevel::Info, "%s: %s", device.capabilities.device_name.c_str(),
            timelines
                ? "the compositor gets the fences of owned swapchains by linux-drm-syncobj, too"
                : "the compositor would take fences by linux-drm-syncobj, but no DRM device that "
                  "may be opened has timelines and their eventfds (Linux 6.6)");
    }
    if (!timelines) {
        return nullptr;
    }
    return std::make_unique<ExplicitSync>(connection, device, std::move(timelines));
}

ExplicitSync::ExplicitSync(WaylandConnection& connection, const Device& device,
                           std::shared_ptr<const SyncobjDevice> timelines)
    : connection_(connection), device_(device), timelines_(std::move(timelines)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), drawn_(timelines_) {}

/// The compositor's proxy of a timeline. Null, where there is no descriptor for it.
WaylandPtr<wp_linux_drm_syncobj_timeline_v1>
ExplicitSync::give(const SyncobjTimeline& timeline) const {
    if (!timeline) {
        return nullptr;
    }
    // libwayland duplicates it.
    const UniqueFd shared = timeline.share();
    if (!shared) {
        return nullptr;
    }
    return WaylandPtr<wp_linux_drm_syncobj_timeline_v1>(
        wp_linux_drm_syncobj_manager_v1_import_timeline(connection_.syncobj_manager.get(),
                                                        shared.get()));
}

bool ExplicitSync::take(std::span<const SwapchainImage> images, ImageReleases& releases) {
    releases_ = &releases;
    images_.clear();
    if (!drawn_proxy_) {
        drawn_proxy_ = give(drawn_);
    }
    if (!event_ || !drawn_proxy_) {
        return false;
    }
    for (const SwapchainImage& image : images) {
        Image& one = images_.emplace_back(timelines_, image.memory()->dma_buf());
        one.proxy = give(one.timeline);
        if (!one.proxy) {
            return false;
        }
    }
    extensions_ = connection_.extensions();
    if (!extensions_->syncobj) {
        extensions_->syncobj.reset(wp_linux_drm_syncobj_manager_v1_get_surface(
            connection_.syncobj_manager.get(), connection_.surface.get()));
    }
    return extensions_->syncobj != nullptr;
}

void ExplicitSync::set_acquire_point(const DmaBuf& buffer) noexcept {
    const uint64_t point = ++drawn_point_;
    const UniqueFd fence = buffer.export_fences(Access::Read);
    int error = fence ? drawn_.import_fence(point, fence.get()) : errno;
    if (error != 0) {
        static Once once;
        count(device_.counters.fallbacks);
        count(device_.counters.waits_on_cpu);
        if (once.first()) {
            log(LogLevel::Warn, "a present's fence cannot go to a timeline (%s): the CPU waits",
                error_text(error));
        }
        (void)buffer.wait_idle(Access::Read, device_.instance->settings.acquire_timeout);
        error = drawn_.signal(point);
    }
    if (error != 0) {
        log(LogLevel::Error, "the compositor waits for a present that nothing tells of: %s",
            error_text(error));
    }
    wp_linux_drm_syncobj_surface_v1_set_acquire_point(extensions_->syncobj.get(),
                                                      drawn_proxy_.get(), high(point), low(point));
}

void ExplicitSync::show(uint32_t image) noexcept {
    if (!extensions_->syncobj) {
        // Given up for the swapchain that replaces this one, and could not have timelines: the
        // dma-buf's fence has to do.
        return;
    }
    const std::lock_guard guard(mutex_);
    Image& shown = images_[image];
    set_acquire_point(*shown.buffer);
    const uint64_t point = ++shown.point;
    shown.is_shown = true;
    if (shown.timeline.notify(point, event_.get()) != 0) {
        must_look_again_ = true;
    }
    wp_linux_drm_syncobj_surface_v1_set_release_point(extensions_->syncobj.get(), shown.proxy.get(),
                                                      high(point), low(point));
}

Deadline ExplicitSync::patience(Deadline deadline) {
    const std::lock_guard guard(mutex_);
    if (!must_look_again_) {
        return deadline;
    }
    const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(4);
    return deadline ? std::min(*deadline, soon) : soon;
}

/// False where the compositor still has it, or nobody can say.
bool ExplicitSync::give_back(uint32_t index) noexcept {
    Image& image = images_[index];
    const UniqueFd read = image.timeline.export_fence(image.point);
    if (!read) {
        must_look_again_ = must_look_again_ || errno != EINVAL;
        return false;
    }
    if (!is_signalled(read.get()) && image.buffer->attach_fence(read.get(), Access::Read) != 0) {
        (void)wait_sync_file(read.get(), device_.instance->settings.acquire_timeout);
    }
    image.is_shown = false;
    releases_->released(index);
    return true;
}

bool ExplicitSync::collect() noexcept {
    const std::lock_guard guard(mutex_);
    uint64_t events = 0;
    const bool has_news = ::read(event_.get(), &events, sizeof(events)) == sizeof(events);
    if (!has_news && !std::exchange(must_look_again_, false)) {
        return false;
    }
    bool has_any = false;
    for (uint32_t i = 0; i < images_.size(); ++i) {
        has_any = (images_[i].is_shown && give_back(i)) || has_any;
    }
    return has_any;
}

} // namespace fencebridge
