// Which fence source and which acquire method a device gets, and why: a pure function, so that it
// can be tested without a device and be repeated by the doctor.
#pragma once

#include "fence/completion_source.hpp"
#include "fence/dma_buf.hpp"

#include <cstdint>
#include <optional>

namespace fencebridge {

enum class AcquireMethod : uint8_t {
    Import, ///< SYNC_FD imported temporarily into a wait semaphore of the application's batch
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
    KernelSupport kernel = KernelSupport::Unknown;
};

struct SourceChoice {
    SourceKind kind = SourceKind::Wait;
    const char* why = "";          ///< static text for the log and the doctor
    const char* refused = nullptr; ///< why the requested source is not the chosen one
};

struct AcquireChoice {
    AcquireMethod method = AcquireMethod::Poll;
    const char* why = "";
    const char* refused = nullptr;
};

/// The first source that does not block on this driver; `requested` wins where it can work at all.
SourceChoice choose_source(const FenceCapabilities& capabilities,
                           std::optional<SourceKind> requested);

AcquireChoice choose_acquire(const FenceCapabilities& capabilities,
                             std::optional<AcquireMethod> requested);

} // namespace fencebridge
