// Releases: the work of a submit becomes a fence on the buffers that it hands out.
#pragma once

#include "dispatch/device.hpp"
#include "fence/completion_source.hpp"
#include "fence/vgem.hpp"
#include "handoff/hand_off.hpp"
#include "handoff/hand_off_trace.hpp"
#include "handoff/striped_map.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace fencebridge {

/// The application's fences that it may export itself: their payloads are left alone.
using ExportableFences = StripedMap<VkFence, bool>;

/// How a submit's completion reaches the fence source.
struct Signalling {
    std::optional<Ticket> ticket;
    VkFence slot = VK_NULL_HANDLE;      ///< the submit's fence slot
    VkFence displaced = VK_NULL_HANDLE; ///< the application's, to be handed the payload
    bool trailing = false;              ///< a signal-only submit behind the application's
    ProxyFence guard; ///< on the buffers from before the submit, where there is one

    /// What a batch of the application's has to signal for us.
    SemaphorePoint in_batch() const {
        return ticket && !trailing ? ticket->signal : SemaphorePoint{};
    }
};

/// One per queue. Not thread-safe; the queue's submitter serialises calls, and holds the locks of
/// the buffers concerned.
class Releaser {
public:
    /// Borrowed; all outlive the releaser.
    Releaser(const Device& device, VkQueue queue, const ExportableFences& exportable_fences,
             HandOffTrace& trace);

    /// Before the submit: asks the source for what shall be signalled, and finds a place for it in
    /// the submit, whose slot has the application's fence so far. `resolved`: all that the submit
    /// depends on is submitted. `may_patch`: a semaphore can be added to the releasing batch.
    void prepare(Signalling& signalling, bool resolved, bool may_patch);

    /// Before the submit: puts a proxy fence on the buffers that a peer may look at right now, so
    /// that none is seen without a fence between the driver's submit and release(). Marks these.
    void guard(Signalling& signalling, std::span<HandOff> releases);

    /// A submit of nothing but the ticket's signal, on the same queue, in the same call: it covers
    /// all that the application's submit brought.
    bool submit_trailing(const Ticket& ticket);

    /// After the submit: attaches the work's fence to the buffers. Without `may_export` the CPU
    /// waits instead: an export now would stand for more than this submit. With the state Failed no
    /// fence is on them, and the work may still run: the caller has to wait for it. `guard`: of
    /// guard(); what is left of it is the caller's to signal.
    Completion release(const Ticket& ticket, std::span<const HandOff> releases, bool may_export,
                       ProxyFence& guard);

    /// The end of release(): nobody needs its completion any more.
    void settle(Completion&& completion) noexcept;

    /// As release() with a completion that is there already, Pending or Done.
    void release(const Completion& completion, std::span<const HandOff> releases);

    /// Gives the application's fence what it would have had: it signals when the work is done.
    /// False where the driver does not take it.
    bool give_payload(VkFence application_fence, const Completion& completion);

    /// The same, or else a submit behind everything that is on the queue.
    void hand_on(VkFence application_fence, const Completion& completion);

    /// The submit failed.
    void abandon(const Ticket& ticket) { source_->abandon(ticket); }

    /// Ends the source's thread, once the work that it stands for is done. Nothing is released
    /// after it.
    void stop() { source_->stop(); }

private:
    void aim_at(std::span<const HandOff> releases);
    void attach(const Completion& completion, std::span<const HandOff> releases);
    void fell_back(const char* why, bool is_done) noexcept;
    bool attach(const AttachTarget& target, const Completion& completion, const HandOff& hand_off);

    const Device& device_;
    const VkQueue queue_;
    const ExportableFences& exportable_fences_;
    HandOffTrace& trace_;
    std::unique_ptr<CompletionSource> source_;
    std::shared_ptr<Vgem> vgem_;        ///< for guards; null where there are none
    std::vector<AttachTarget> targets_; ///< kept, so that the steady state allocates nothing
};

} // namespace fencebridge
