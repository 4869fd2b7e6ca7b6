// A fence source: how a kernel fence for the work of one submit is obtained.
#pragma once

#include "fence/device_calls.hpp"
#include "fence/unique_fd.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace fencebridge {

enum class SourceKind : uint8_t {
    Semaphore, ///< a SYNC_FD semaphore appended to the application's batch
    Fence,     ///< a SYNC_FD fence in the submit's fence slot
    Wait,      ///< no kernel fence: the CPU waits for the work
};

const char* name(SourceKind kind);

/// What a source asks of the submit that it shall stand for.
struct Ticket {
    VkSemaphore signal = VK_NULL_HANDLE; ///< to be signalled by the last batch concerned
    VkFence fence = VK_NULL_HANDLE;      ///< to be put in the submit's fence slot
    bool fence_is_borrowed = false;      ///< `fence` is the application's own
};

/// What became of it.
struct Completion {
    enum class State : uint8_t {
        Pending, ///< `sync_file` signals when the work is done
        Done,    ///< the work is done: nothing to attach
        Failed,  ///< `error` says why; the work may still run
    };
    State state = State::Failed;
    UniqueFd sync_file;
    VkResult error = VK_SUCCESS;
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

    /// After a successful submit whose dependencies are all submitted
    /// (VUID-VkSemaphoreGetFdInfoKHR- handleType-03254: a SYNC_FD export must not depend on work
    /// that is not in a queue yet). Consumes the ticket.
    virtual Completion take(const Ticket& ticket) = 0;

    /// The submit failed: the ticket's objects were not signalled.
    virtual void abandon(const Ticket& ticket) = 0;
};

/// Makes the source for one queue. Never null.
std::unique_ptr<CompletionSource> make_source(SourceKind kind, DeviceCalls calls);

} // namespace fencebridge
