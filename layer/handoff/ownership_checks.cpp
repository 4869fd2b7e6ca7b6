#include "handoff/ownership_checks.hpp"

#include "fence/sync_file.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <exception>

namespace fencebridge {

namespace {

struct Explanation {
    const char* id;
    const char* text;
};
constexpr Explanation explanations[] = {
    {"FENCEBRIDGE-use-while-peer-owns",
     "is used by a submit while a peer owns it: it was released to EXTERNAL or FOREIGN and not "
     "acquired back, so the peer's work on it is not waited for. Record an acquire (a barrier with "
     "srcQueueFamilyIndex EXTERNAL or FOREIGN) before the use."},
    {"FENCEBRIDGE-release-without-acquire",
     "is released again and was not acquired since its last release: whoever was given it then may "
     "still read it while new content is drawn. Record an acquire (a barrier with "
     "srcQueueFamilyIndex EXTERNAL or FOREIGN; oldLayout UNDEFINED where the content may go) "
     "before it is drawn again."},
    {"FENCEBRIDGE-foreign-fence-while-owned",
     "got a fence that is not of this device between its acquire and this release: a peer works on "
     "its dma-buf while it is ours. Send a buffer out only after its release was submitted, and "
     "acquire it only after the peer has given it back."},
    {"FENCEBRIDGE-hand-off-unseen",
     "is handed off where no consumer can see it. A fence is seen by those who have the memory's "
     "dma-buf: allocate with VkExportMemoryAllocateInfo (DMA_BUF) and export it, or import a "
     "dma-buf; where explicit semaphores carry the synchronisation, nothing is wrong."},
};

} // namespace

void OwnershipChecks::tell(Kind kind, const DebugObject& object,
                           std::vector<DebugMessage>& messages) {
    const auto index = static_cast<size_t>(kind);
    const auto bit = static_cast<uint8_t>(1U << index);
    State& state = states_[object];
    if ((state.told & bit) == 0) {
        messages.push_back({explanations[index].id, object, explanations[index].text});
        state.told = static_cast<uint8_t>(state.told | bit);
    }
}

/// Takes what is on the buffers that are acquired, and compares what is on those that are released.
void OwnershipChecks::look_at_fences(Submit& submit) {
    const std::lock_guard guard(mutex_);
    for (const ResourceStep& step : submit.steps) {
        if (step.kind == ResourceStep::Kind::Acquire) {
            std::vector<FencesThen>& fences = submit.acquired[step.resource];
            fences.clear();
            for (const SharedMemoryRef& memory : step.memories) {
                const auto buffer = memory->dma_buf();
                if (buffer) {
                    fences.push_back({memory, buffer->export_fences(Access::Read),
                                      buffer->export_fences(Access::Write)});
                }
            }
        } else if (step.kind == ResourceStep::Kind::Release &&
                   !submit.acquired.contains(step.resource)) {
            const auto known = states_.find(step.resource);
            if (known == states_.end()) {
                continue;
            }
            for (const FencesThen& then : known->second.at_acquire) {
                // Readers do not disturb a reader. In this order: fences end, so that of those
                // counted first no more can be left.
                const bool reads = step.access == Access::Read;
                const uint32_t left =
                    pending_fences((reads ? then.for_reader : then.for_writer).get());
                const UniqueFd now = then.memory->dma_buf()->export_fences(step.access);
                if (now && pending_fences(now.get()) > left) {
                    tell(Kind::ForeignFence, step.resource, submit.messages);
                }
            }
        }
    }
}

void OwnershipChecks::submitted(Submit submit) noexcept {
    try {
        {
            const std::lock_guard guard(mutex_);
            for (const ResourceStep& one : submit.steps) {
                step(one, submit);
            }
        }
        messages_.send(submit.messages);
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "the checks of a submit are lost: %s", problem.what());
    }
}

void OwnershipChecks::step(const ResourceStep& step, Submit& submit) {
    State& state = states_[step.resource];
    switch (step.kind) {
    case ResourceStep::Kind::Acquire:
        state.owner = Owner::Ours;
        state.at_acquire = std::move(submit.acquired[step.resource]);
        break;
    case ResourceStep::Kind::Use:
        if (state.owner == Owner::Peer) {
            tell(Kind::UseWhilePeerOwns, step.resource, submit.messages);
        }
        break;
    case ResourceStep::Kind::Release:
        if (state.owner == Owner::Peer) {
            tell(Kind::ReleaseWithoutAcquire, step.resource, submit.messages);
        }
        state.owner = Owner::Peer;
        state.at_acquire.clear();
        for (const SharedMemoryRef& memory : step.memories) {
            ++releases_[memory.get()];
        }
        break;
    }
}

void OwnershipChecks::released_unshared(const DebugObject& resource) {
    std::vector<DebugMessage> messages;
    {
        const std::lock_guard guard(mutex_);
        tell(Kind::Unseen, resource, messages);
    }
    messages_.send(messages);
}

void OwnershipChecks::destroyed(const DebugObject& resource) {
    {
        const std::lock_guard guard(mutex_);
        states_.erase(resource);
    }
    messages_.forget(resource);
}

void OwnershipChecks::freed(const SharedMemoryRef& memory) {
    const DebugObject object = debug_object(memory->handle());
    std::vector<DebugMessage> messages;
    {
        const std::lock_guard guard(mutex_);
        if (releases_.erase(memory.get()) != 0 && !memory->peer_may_hold()) {
            tell(Kind::Unseen, object, messages);
        }
    }
    messages_.send(messages);
    destroyed(object);
}

} // namespace fencebridge
