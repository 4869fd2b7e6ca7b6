// Which fence source and which acquire method a device gets, and why: a pure function, so that it
// can be tested without a device and be repeated by the doctor.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/dma_buf.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace fencebridge {

enum class AcquireMethod : uint8_t {
    Import, ///< SYNC_FD imported temporarily into a wait semaphore of the application's batch
    Thread, ///< a thread waits, and signals a timeline semaphore that the batch waits for
    Poll,   ///< the CPU waits before the submit
};

const char* name(AcquireMethod method);

/// What the driver and the kernel say.
struct FenceCapabilities {
    VkDriverId driver = static_cast<VkDriverId>(0); ///< 0: unknown
    bool semaphore_export = false;                  ///< SYNC_FD
    bool semaphore_import = false;                  ///< SYNC_FD, temporary
    bool fence_export = false;                      ///< SYNC_FD
    bool fence_import = false;                      ///< SYNC_FD, temporary
    bool timelines = false;                         ///< timelineSemaphore is enabled
    KernelSupport kernel = KernelSupport::Unknown;
    bool vgem = false; ///< a vgem node can be opened
};

struct SourceChoice {
    SourceKind kind = SourceKind::Wait;
    const char* why = "";          ///< static text for the log and the doctor
    const char* refused = nullptr; ///< why the requested source is not the chosen one
    /// A SYNC_FD that is exported when the queue has got more work since stands for that work too.
    /// It must not be exported while some of that is not resolved: it might never signal.
    bool late_export_covers_queue = false;
};

struct AcquireChoice {
    AcquireMethod method = AcquireMethod::Poll;
    const char* why = "";
    const char* refused = nullptr;
};

struct GuardChoice {
    bool on = false;
    const char* why = "";
    const char* refused = nullptr;
};

/// Which releases get a proxy fence before their submit.
enum class GuardSetting : uint8_t {
    Auto, ///< those of memory that a peer may hold already, where vgem is there
    On,   ///< all, where vgem is there
    Off,
};

/// The first source that does not block on this driver; `requested` wins where it can work at all.
SourceChoice choose_source(const FenceCapabilities& capabilities,
                           std::optional<SourceKind> requested);

AcquireChoice choose_acquire(const FenceCapabilities& capabilities,
                             std::optional<AcquireMethod> requested);

GuardChoice choose_guard(const FenceCapabilities& capabilities, GuardSetting requested);

/// Makes the source for one queue of a device with these capabilities. Never null: `proxy` without
/// vgem (a node closed meanwhile) is `wait`.
std::unique_ptr<CompletionSource> make_source(SourceKind kind, DeviceCalls calls,
                                              bool has_timelines);

} // namespace fencebridge
