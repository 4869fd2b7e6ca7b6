// The setting `check`: misuse that implicit sync makes possible, told as validation layers tell it.
#pragma once

#include "fence/unique_fd.hpp"
#include "handoff/batches.hpp"
#include "handoff/recordings.hpp"
#include "handoff/shared_memory.hpp"
#include "report/debug_messages.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

namespace fencebridge {

/// Follows the owner of every resource on shared memory, in the order of submits. Resources are
/// followed as a whole, not range by range. Each kind of message is sent once a resource.
/// Thread-safe.
class OwnershipChecks {
public:
    /// Borrowed; it outlives the checks.
    explicit OwnershipChecks(DebugMessages& messages) : messages_(messages) {}

    /// The fences of a dma-buf at the time of an acquire.
    struct FencesThen {
        SharedMemoryRef memory;
        UniqueFd for_reader; ///< what a reader waits for: writers
        UniqueFd for_writer; ///< all
    };
    /// What a submit does, looked at before it reaches the driver.
    struct Submit {
        std::vector<ResourceStep> steps;
        std::map<DebugObject, std::vector<FencesThen>> acquired;
        std::vector<DebugMessage> messages;
    };

    /// Before the submit: our own fences are not on the buffers yet.
    template<typename Batch>
    Submit look(std::span<const Batch> batches, const Recordings& recordings) {
        Submit submit;
        for (const Batch& batch : batches) {
            for (uint32_t i = 0; i < command_buffer_count(batch); ++i) {
                recordings.visit(command_buffer(batch, i), [&](const Recording& recording) {
                    submit.steps.insert(submit.steps.end(), recording.steps.begin(),
                                        recording.steps.end());
                });
            }
        }
        look_at_fences(submit);
        return submit;
    }

    /// After the submit was made: what it did counts. Sends the messages, so no lock may be held.
    void submitted(Submit submit) noexcept;

    /// A barrier releases a resource that is on no dma-buf.
    void released_unshared(const DebugObject& resource);

    void destroyed(const DebugObject& resource);
    void freed(const SharedMemoryRef& memory);

private:
    enum class Owner : uint8_t { Unknown, Ours, Peer };
    enum class Kind : uint8_t { UseWhilePeerOwns, ReleaseWithoutAcquire, ForeignFence, Unseen };
    struct State {
        Owner owner = Owner::Unknown;
        uint8_t told = 0;                   ///< a bit a Kind
        std::vector<FencesThen> at_acquire; ///< empty but between an acquire and its release
    };

    void look_at_fences(Submit& submit);
    void step(const ResourceStep& step, Submit& submit);
    void tell(Kind kind, const DebugObject& object, std::vector<DebugMessage>& messages);

    DebugMessages& messages_;
    std::mutex mutex_;
    std::map<DebugObject, State> states_;
    std::unordered_map<const SharedMemory*, uint64_t> releases_; ///< of memory that nobody has
};

} // namespace fencebridge
