// A fence source: how a kernel fence for the work of one submit is obtained.
#pragma once

#include "fence/access.hpp"
#include "fence/device_calls.hpp"
#include "fence/dma_buf.hpp"
#include "fence/semaphore_point.hpp"
#include "fence/unique_fd.hpp"
#include "fence/vgem.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace fencebridge {

enum class SourceKind : uint8_t {
    Semaphore, ///< a SYNC_FD semaphore appended to the application's batch
    Fence,     ///< a SYNC_FD fence in the submit's fence slot
    Proxy,     ///< a vgem fence that a thread signals when the work is done
    Wait,      ///< no kernel fence: the CPU waits for the work
};

const char* name(SourceKind kind);

/// What a source asks of the submit that it shall stand for.
struct Ticket {
    SemaphorePoint signal;          ///< to be signalled by the last batch concerned
    VkFence fence = VK_NULL_HANDLE; ///< to be put in the submit's fence slot
    bool fence_is_borrowed = false; ///< `fence` is the application's own
};

/// A dma-buf that the fence is for.
struct AttachTarget {
    std::shared_ptr<DmaBuf> buffer;
    Access access;
    bool is_guarded = false; ///< the guard is on it from before the submit
};

/// What became of it.
struct Completion {
    enum class State : uint8_t {
        Pending, ///< `sync_file` signals when the work is done
        Done,    ///< the work is done: nothing to attach
        Failed,  ///< the work may still run
    };
    State state = State::Failed;
    UniqueFd sync_file;
    bool is_guard = false; ///< `sync_file` is the guard's: it is on the guarded targets already
    /// Why it is not Pending though the source should have made it so, for the log; or null.
    const char* fallback = nullptr;
};

/// One per queue. Not thread-safe: the owner serialises calls (a queue's submits are externally
/// synchronised anyway). Objects are pooled: in the steady state nothing is created.
class CompletionSource {
public:
    virtual ~CompletionSource() = default;
    CompletionSource() = default;
    CompletionSource(const CompletionSource&) = delete;
    CompletionSource& operator=(const CompletionSource&) = delete;

    virtual SourceKind kind() const = 0;

    /// Before the submit. `application_fence` is what the application put in the slot, or null.
    /// None where the driver is out of memory.
    virtual std::optional<Ticket> begin(VkFence application_fence) = 0;

    /// Before the submit: a pending fence for a guard; an empty one, with errno set, where the
    /// kernel refuses. A source of proxies may have one ready.
    virtual ProxyFence make_guard(Vgem& vgem) { return vgem.make_fence(); }

    /// After a successful submit whose dependencies are all submitted
    /// (VUID-VkSemaphoreGetFdInfoKHR- handleType-03254: a SYNC_FD export must not depend on work
    /// that is not in a queue yet). `targets` are what the caller will attach the fence to: a
    /// source whose fences live shorter than the work attaches another in time. `guard`: a proxy
    /// fence that is on some of them already, or none: a source of proxies takes it over, and it
    /// signals with the work; to the others it is nothing. Consumes the ticket.
    virtual Completion take(const Ticket& ticket, std::span<const AttachTarget> targets,
                            ProxyFence& guard) = 0;

    /// After take(): its fence is on the targets, and nobody needs the completion any more. A
    /// source that works for it from then on begins here, where it is in nobody's way. Null, or why
    /// the CPU has waited for the work instead.
    virtual const char* attached(Completion&& /*completion*/) noexcept { return nullptr; }

    /// As take(), but the CPU waits, for where an export would say more than this submit. Failed
    /// where the source has nothing to wait on. Consumes the ticket.
    virtual Completion wait(const Ticket& ticket) = 0;

    /// The submit failed: the ticket's objects were not signalled.
    virtual void abandon(const Ticket& ticket) = 0;

    /// Whether take()'s sync_file may become the payload of the application's own fence: not where
    /// its life is limited.
    virtual bool can_stand_for_application_fence() const { return true; }

    /// Ends what the source does on threads of its own. Nothing is taken after it.
    virtual void stop() {}
};

} // namespace fencebridge
