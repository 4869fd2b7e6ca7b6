#include "fence/source_choice.hpp"

#include "fence/fence_source.hpp"
#include "fence/proxy_source.hpp"
#include "fence/semaphore_source.hpp"
#include "fence/wait_source.hpp"

namespace fencebridge {

namespace {

/// Drivers that wait on the CPU where others do not. Nothing in Vulkan reports it.
struct Quirk {
    VkDriverId driver;
    bool semaphore_export_blocks;
    bool fence_export_blocks;
    bool late_export_covers_queue; ///< see SourceChoice
};
constexpr Quirk quirks[] = {
    // Venus makes the semaphore's sync_file and then waits for it before it returns; the fence's it
    // returns pending; but what it returns stands for all that the queue has at that moment. Seen
    // on Mesa 26.1.
    {VK_DRIVER_ID_MESA_VENUS, true, false, true},
    // lavapipe has no kernel fence of its own: both exports wait and return a signalled stub. Seen
    // on Mesa 26.1.
    {VK_DRIVER_ID_MESA_LLVMPIPE, true, true, false},
};

Quirk quirk_of(VkDriverId driver) {
    for (const Quirk& quirk : quirks) {
        if (quirk.driver == driver) {
            return quirk;
        }
    }
    return {driver, false, false, false};
}

constexpr const char* no_vgem = "no vgem device can be opened: is the kernel module vgem loaded?";

/// Null where the source can work, else why it cannot.
const char* obstacle(SourceKind kind, const FenceCapabilities& capabilities) {
    if (kind == SourceKind::Wait) {
        return nullptr;
    }
    if (capabilities.kernel == KernelSupport::Unsupported) {
        return "the kernel has no DMA_BUF_IOCTL_IMPORT_SYNC_FILE (Linux 6.0)";
    }
    if (kind == SourceKind::Semaphore && !capabilities.semaphore_export) {
        return "the driver does not export SYNC_FD semaphores";
    }
    if (kind == SourceKind::Fence && !capabilities.fence_export) {
        return "the driver does not export SYNC_FD fences";
    }
    if (kind == SourceKind::Proxy && !capabilities.vgem) {
        return no_vgem;
    }
    return nullptr;
}

SourceChoice choose_automatically(const FenceCapabilities& capabilities) {
    if (capabilities.kernel == KernelSupport::Unsupported) {
        return {SourceKind::Wait,
                "the kernel cannot attach fences to a dma-buf (before Linux 6.0)"};
    }
    const Quirk quirk = quirk_of(capabilities.driver);
    if (capabilities.semaphore_export && !quirk.semaphore_export_blocks) {
        return {SourceKind::Semaphore, "the driver exports pending SYNC_FD semaphores"};
    }
    if (capabilities.fence_export && !quirk.fence_export_blocks) {
        return {SourceKind::Fence,
                capabilities.semaphore_export
                    ? "this driver's semaphore export blocks until the work is done, its fence "
                      "export does not"
                    : "the driver exports SYNC_FD fences, but no semaphores"};
    }
    if (capabilities.vgem) {
        return {
            SourceKind::Proxy,
            capabilities.semaphore_export || capabilities.fence_export
                ? "every SYNC_FD export of this driver waits for the work; a vgem fence does not"
                : "the driver exports no SYNC_FD; a vgem fence stands for its work"};
    }
    if (capabilities.semaphore_export || capabilities.fence_export) {
        return {SourceKind::Wait, "every SYNC_FD export of this driver waits for the work anyway"};
    }
    return {SourceKind::Wait, "the driver exports no SYNC_FD"};
}

} // namespace

const char* name(SourceKind kind) {
    switch (kind) {
    case SourceKind::Semaphore:
        return "semaphore";
    case SourceKind::Fence:
        return "fence";
    case SourceKind::Proxy:
        return "proxy";
    case SourceKind::Wait:
        break;
    }
    return "wait";
}

const char* name(AcquireMethod method) {
    switch (method) {
    case AcquireMethod::Import:
        return "import";
    case AcquireMethod::Thread:
        return "thread";
    case AcquireMethod::Poll:
        break;
    }
    return "poll";
}

SourceChoice choose_source(const FenceCapabilities& capabilities,
                           std::optional<SourceKind> requested) {
    SourceChoice choice;
    const char* const refused = requested ? obstacle(*requested, capabilities) : nullptr;
    if (requested && refused == nullptr) {
        choice = {*requested, "asked for by the setting fence_source"};
    } else {
        choice = choose_automatically(capabilities);
        choice.refused = refused;
    }
    choice.late_export_covers_queue = quirk_of(capabilities.driver).late_export_covers_queue;
    return choice;
}

AcquireChoice choose_acquire(const FenceCapabilities& capabilities,
                             std::optional<AcquireMethod> requested) {
    const char* no_sync_file = nullptr;
    if (capabilities.kernel == KernelSupport::Unsupported) {
        no_sync_file = "the kernel has no DMA_BUF_IOCTL_EXPORT_SYNC_FILE (Linux 6.0)";
    }
    const char* no_import = no_sync_file;
    if (no_import == nullptr && !capabilities.semaphore_import) {
        no_import = "the driver does not import SYNC_FD semaphores";
    }
    const char* no_thread = no_sync_file;
    if (no_thread == nullptr && !capabilities.timelines) {
        no_thread = "the device has no timeline semaphores";
    }

    constexpr const char* asked = "asked for by the setting acquire";
    AcquireChoice choice;
    if (requested == AcquireMethod::Poll) {
        return {AcquireMethod::Poll, asked};
    }
    if (requested == AcquireMethod::Import) {
        if (no_import == nullptr) {
            return {AcquireMethod::Import, asked};
        }
        choice.refused = no_import;
    } else if (requested == AcquireMethod::Thread) {
        if (no_thread == nullptr) {
            return {AcquireMethod::Thread, asked};
        }
        choice.refused = no_thread;
    }
    // Thread is the second best: behind a wait that the host signals, the same submit's releases
    // can be exported only when the peer is done.
    if (no_import == nullptr) {
        choice.method = AcquireMethod::Import;
        choice.why = "the driver imports SYNC_FD semaphores";
    } else if (no_thread == nullptr) {
        choice.method = AcquireMethod::Thread;
        choice.why = no_import;
    } else {
        choice.method = AcquireMethod::Poll;
        choice.why = no_import;
    }
    return choice;
}

GuardChoice choose_guard(const FenceCapabilities& capabilities, GuardSetting requested) {
    if (requested == GuardSetting::Off) {
        return {false, "asked for by the setting guard"};
    }
    const char* obstacle = nullptr;
    if (capabilities.kernel == KernelSupport::Unsupported) {
        obstacle = "the kernel has no DMA_BUF_IOCTL_IMPORT_SYNC_FILE (Linux 6.0)";
    } else if (!capabilities.vgem) {
        obstacle = no_vgem;
    }
    if (obstacle != nullptr) {
        return {false, obstacle, requested == GuardSetting::On ? obstacle : nullptr};
    }
    return {true,
            requested == GuardSetting::On ? "asked for by the setting guard" : "vgem is there"};
}

std::unique_ptr<CompletionSource> make_source(SourceKind kind, DeviceCalls calls,
                                              bool has_timelines) {
    switch (kind) {
    case SourceKind::Semaphore:
        return std::make_unique<SemaphoreSource>(calls);
    case SourceKind::Fence:
        return std::make_unique<FenceSource>(calls);
    case SourceKind::Proxy:
        if (auto vgem = Vgem::open()) {
            return std::make_unique<ProxySource>(calls, std::move(vgem), has_timelines);
        }
        break;
    case SourceKind::Wait:
        break;
    }
    return std::make_unique<WaitSource>(calls);
}

} // namespace fencebridge
