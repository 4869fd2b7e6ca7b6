#include "present/wayland/dmabuf_formats.hpp"

#include "fence/unique_fd.hpp"
#include "report/log.hpp"

#include <drm_fourcc.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <sys/mman.h>
#include <utility>

namespace fencebridge {

namespace {

/// A row of the compositor's format table (linux-dmabuf-v1, format_table).
struct TableRow {
    uint32_t format;
    uint32_t padding;
    uint64_t modifier;
};
static_assert(sizeof(TableRow) == 16);

template<typename T>
std::span<const T> elements(const wl_array* array) {
    return {static_cast<const T*>(array->data), array->size / sizeof(T)};
}

std::optional<dev_t> device_in(const wl_array* array) {
    dev_t device{};
    if (array->size != sizeof(device)) {
        return std::nullopt;
    }
    std::memcpy(&device, array->data, sizeof(device));
    return device;
}

/// libwayland calls from C: nothing is thrown through it.
template<typename Body>
void heard(Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "linux-dmabuf: %s", problem.what());
    }
}

std::vector<DmabufTranche::Format> read_table(int fd, uint32_t size) {
    std::vector<DmabufTranche::Format> table;
    void* const memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED) { // NOLINT: the macro is a C cast
        log(LogLevel::Warn, "linux-dmabuf: the compositor's format table cannot be read");
        return table;
    }
    for (const TableRow& row :
         std::span(static_cast<const TableRow*>(memory), size / sizeof(TableRow))) {
        table.push_back({row.format, row.modifier});
    }
    ::munmap(memory, size);
    return table;
}

} // namespace

/// The protocols' events, in the order of their headers.
struct DmabufFormatsListener {
    static DmabufFormats& of(void* data) { return *static_cast<DmabufFormats*>(data); }

    static constexpr zwp_linux_dmabuf_v1_listener version_3{
        .format = [](void* /*data*/, zwp_linux_dmabuf_v1* /*dmabuf*/, uint32_t /*format*/) {},
        .modifier =
            [](void* data, zwp_linux_dmabuf_v1* /*dmabuf*/, uint32_t format, uint32_t high,
               uint32_t low) {
                heard([&] {
                    auto& tranches = of(data).tranches_;
                    if (tranches.empty()) {
                        tranches.emplace_back();
                    }
                    tranches.front().formats.push_back({format, uint64_t{high} << 32 | low});
                });
            },
    };

    static constexpr zwp_linux_dmabuf_feedback_v1_listener version_4{
        .done =
            [](void* data, zwp_linux_dmabuf_feedback_v1* /*feedback*/) {
                of(data).tranches_ = std::exchange(of(data).next_, {});
                ++of(data).generation_;
            },
        .format_table =
            [](void* data, zwp_linux_dmabuf_feedback_v1* /*feedback*/, int32_t fd, uint32_t size) {
                const UniqueFd table(fd);
                heard([&] { of(data).table_ = read_table(table.get(), size); });
            },
        .main_device = [](void* /*data*/, zwp_linux_dmabuf_feedback_v1* /*feedback*/,
                          wl_array* /*device*/) {},
        .tranche_done =
            [](void* data, zwp_linux_dmabuf_feedback_v1* /*feedback*/) {
                heard([&] { of(data).next_.push_back(std::exchange(of(data).next_tranche_, {})); });
            },
        .tranche_target_device =
            [](void* data, zwp_linux_dmabuf_feedback_v1* /*feedback*/, wl_array* device) {
                of(data).next_tranche_.device = device_in(device);
            },
        .tranche_formats =
            [](void* data, zwp_linux_dmabuf_feedback_v1* /*feedback*/, wl_array* indices) {
                heard([&] {
                    DmabufFormats& self = of(data);
                    for (const uint16_t index : elements<uint16_t>(indices)) {
                        if (index < self.table_.size()) {
                            self.next_tranche_.formats.push_back(self.table_[index]);
                        }
                    }
                });
            },
        .tranche_flags = [](void* /*data*/, zwp_linux_dmabuf_feedback_v1* /*feedback*/,
                            uint32_t /*flags*/) {},
    };
};

DmabufFormats::DmabufFormats(zwp_linux_dmabuf_v1* dmabuf, wl_surface* surface) {
    if (zwp_linux_dmabuf_v1_get_version(dmabuf) <
        ZWP_LINUX_DMABUF_V1_GET_SURFACE_FEEDBACK_SINCE_VERSION) {
        zwp_linux_dmabuf_v1_add_listener(dmabuf, &DmabufFormatsListener::version_3, this);
        return;
    }
    feedback_.reset(zwp_linux_dmabuf_v1_get_surface_feedback(dmabuf, surface));
    if (feedback_) {
        zwp_linux_dmabuf_feedback_v1_add_listener(feedback_.get(),
                                                  &DmabufFormatsListener::version_4, this);
    }
}

std::vector<dev_t> DmabufFormats::devices() const {
    std::vector<dev_t> all;
    for (const DmabufTranche& tranche : tranches_) {
        if (tranche.device && std::find(all.begin(), all.end(), *tranche.device) == all.end()) {
            all.push_back(*tranche.device);
        }
    }
    return all;
}

bool DmabufFormats::offers(uint32_t format) const {
    return std::any_of(tranches_.begin(), tranches_.end(), [&](const DmabufTranche& tranche) {
        return std::any_of(tranche.formats.begin(), tranche.formats.end(),
                           [&](const auto& one) { return one.format == format; });
    });
}

bool DmabufFormats::offers(uint32_t format, uint64_t modifier) const {
    const DmabufTranche::Format wanted{format, modifier};
    return std::any_of(tranches_.begin(), tranches_.end(), [&](const DmabufTranche& tranche) {
        return std::find(tranche.formats.begin(), tranche.formats.end(), wanted) !=
               tranche.formats.end();
    });
}

std::vector<std::vector<uint64_t>>
DmabufFormats::modifier_sets(uint32_t format, std::span<const uint64_t> usable,
                             std::span<const dev_t> nodes) const {
    std::vector<std::vector<uint64_t>> sets;
    const auto add = [&sets](std::vector<uint64_t> set) {
        if (std::find(sets.begin(), sets.end(), set) == sets.end()) {
            sets.push_back(std::move(set));
        }
    };
    for (const DmabufTranche& tranche : tranches_) {
        const bool is_ours =
            tranche.device && std::find(nodes.begin(), nodes.end(), *tranche.device) != nodes.end();
        std::vector<uint64_t> both;
        for (const uint64_t modifier : usable) {
            const DmabufTranche::Format wanted{format, modifier};
            if ((is_ours || modifier == DRM_FORMAT_MOD_LINEAR) &&
                std::find(tranche.formats.begin(), tranche.formats.end(), wanted) !=
                    tranche.formats.end()) {
                both.push_back(modifier);
            }
        }
        if (!both.empty()) {
            add(std::move(both));
        }
    }
    // The last resort, also for a compositor that names no modifier for the format.
    if (offers(format)) {
        const bool has_linear =
            std::find(usable.begin(), usable.end(), DRM_FORMAT_MOD_LINEAR) != usable.end();
        add(has_linear ? std::vector<uint64_t>{DRM_FORMAT_MOD_LINEAR} : std::vector<uint64_t>());
    }
    return sets;
}

} // namespace fencebridge
