#include "fence/source_choice.hpp"

#include "fence/fence_source.hpp"
#include "fence/semaphore_source.hpp"
#include "fence/wait_source.hpp"

namespace fencebridge {

namespace {

/// Drivers whose SYNC_FD export waits for the work on the CPU. Nothing in Vulkan reports it.
struct ExportQuirk {
    VkDriverId driver;
    bool semaphore_blocks;
    bool fence_blocks;
};
constexpr ExportQuirk export_quirks[] = {
    // Venus makes the semaphore's sync_file and then waits for it before it returns; the fence's it
    // returns pending. Seen on Mesa 26.1.
    {VK_DRIVER_ID_MESA_VENUS, true, false},
    // lavapipe has no kernel fence of its own: both exports wait and return a signalled stub. Seen
    // on Mesa 26.1.
    {VK_DRIVER_ID_MESA_LLVMPIPE, true, true},
};

ExportQuirk quirk_of(VkDriverId driver) {
    for (const ExportQuirk& quirk : export_quirks) {
        if (quirk.driver == driver) {
            return quirk;
        }
    }
    return {driver, false, false};
}

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
    return nullptr;
}

SourceChoice choose_automatically(const FenceCapabilities& capabilities) {
    if (capabilities.kernel == KernelSupport::Unsupported) {
        return {SourceKind::Wait,
                "the kernel cannot attach fences to a dma-buf (before Linux 6.0)"};
    }
    const ExportQuirk quirk = quirk_of(capabilities.driver);
    if (capabilities.semaphore_export && !quirk.semaphore_blocks) {
        return {SourceKind::Semaphore, "the driver exports pending SYNC_FD semaphores"};
    }
    if (capabilities.fence_export && !quirk.fence_blocks) {
        return {SourceKind::Fence,
                capabilities.semaphore_export
                    ? "this driver's semaphore export blocks until the work is done, its fence "
                      "export does not"
                    : "the driver exports SYNC_FD fences, but no semaphores"};
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
    case SourceKind::Wait:
        break;
    }
    return "wait";
}

const char* name(AcquireMethod method) {
    return method == AcquireMethod::Import ? "import" : "poll";
}

SourceChoice choose_source(const FenceCapabilities& capabilities,
                           std::optional<SourceKind> requested) {
    if (!requested) {
        return choose_automatically(capabilities);
    }
    if (const char* refused = obstacle(*requested, capabilities)) {
        SourceChoice choice = choose_automatically(capabilities);
        choice.refused = refused;
        return choice;
    }
    return {*requested, "asked for by the setting fence_source"};
}

AcquireChoice choose_acquire(const FenceCapabilities& capabilities,
                             std::optional<AcquireMethod> requested) {
    const char* no_import = nullptr;
    if (capabilities.kernel == KernelSupport::Unsupported) {
        no_import = "the kernel has no DMA_BUF_IOCTL_EXPORT_SYNC_FILE (Linux 6.0)";
    } else if (!capabilities.semaphore_import) {
        no_import = "the driver does not import SYNC_FD semaphores";
    }
    if (requested == AcquireMethod::Poll) {
        return {AcquireMethod::Poll, "asked for by the setting acquire"};
    }
    if (no_import != nullptr) {
        return {AcquireMethod::Poll, no_import, requested ? no_import : nullptr};
    }
    return {AcquireMethod::Import, requested ? "asked for by the setting acquire"
                                             : "the driver imports SYNC_FD semaphores"};
}

std::unique_ptr<CompletionSource> make_source(SourceKind kind, DeviceCalls calls) {
    switch (kind) {
    case SourceKind::Semaphore:
        return std::make_unique<SemaphoreSource>(calls);
    case SourceKind::Fence:
        return std::make_unique<FenceSource>(calls);
    case SourceKind::Wait:
        break;
    }
    return std::make_unique<WaitSource>(calls);
}

} // namespace fencebridge
