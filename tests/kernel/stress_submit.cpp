#include "kernel/stress_submit.hpp"

#include "support/sync_file_info.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace fencebridge::test {

namespace {

/// What a batch, or a submit, does with one memory is one access: the stronger of all.
using Accesses = std::map<std::shared_ptr<StressMemory>, StressHandOff>;

void merge(Accesses& accesses, const StressHandOff& hand_off) {
    const auto [where, is_new] = accesses.try_emplace(hand_off.memory, hand_off);
    if (!is_new && hand_off.access == Usage::Write) {
        where->second.access = Usage::Write;
    }
}

} // namespace

StressSubmit::StressSubmit(Differences& found, std::vector<StressBatch> batches,
                           TimelinePoints behind, TimelinePoints timelines)
    : state(std::make_shared<SubmitState>(std::move(behind))), differences_(found),
      batches_(std::move(batches)), needs_(batches_.size()), timelines_(std::move(timelines)) {
    for (size_t i = 0; i < batches_.size(); ++i) {
        Accesses acquires;
        for (const StressHandOff& hand_off : batches_[i]) {
            if (hand_off.is_acquire) {
                merge(acquires, hand_off);
            } else {
                last_releasing_ = i;
            }
        }
        for (const auto& [memory, hand_off] : acquires) {
            needs_[i].acquires.emplace_back(hand_off.buffer, hand_off.access);
        }
    }
}

void StressSubmit::allow(Needs& needs, const ModelEntry& entry) {
    needs.doubles += entry.most - 1;
    needs.allowed.insert(entry.fence);
}

/// The fences that the batch's acquires meet at this moment.
void StressSubmit::collect(Needs& needs, bool before) const {
    for (const auto& [buffer, access] : needs.acquires) {
        for (const ModelEntry& entry : buffer->model.entries()) {
            if (!conflicts(access, entry.usage) || entry.fence.get() == this) {
                continue;
            }
            const Knowledge attached = entry.fence->is_attached();
            if (attached == Knowledge::No) {
                if (before) {
                    needs.put_off.push_back(entry);
                }
                continue;
            }
            allow(needs, entry);
            if (before && attached == Knowledge::Yes) {
                needs.required.insert(entry.fence);
            }
        }
    }
}

/// To the models of what the batch acquires, up to now.
uint64_t StressSubmit::added(const Needs& needs) {
    uint64_t count = 0;
    for (const auto& [buffer, access] : needs.acquires) {
        count += buffer->model.added();
    }
    return count;
}

std::vector<std::shared_ptr<StressBuffer>>
StressSubmit::begin(const std::shared_ptr<StressSubmit>& self) {
    for (Needs& needs : needs_) {
        needs.added = added(needs);
        collect(needs, true);
    }
    Accesses releases;
    for (const StressBatch& batch : batches_) {
        for (const StressHandOff& hand_off : batch) {
            if (!hand_off.is_acquire) {
                merge(releases, hand_off);
            }
        }
    }
    struct Released {
        Usage usage = Usage::Read;
        size_t memories = 0;
    };
    std::map<std::shared_ptr<StressBuffer>, Released> buffers;
    for (const auto& [memory, hand_off] : releases) {
        Released& released = buffers[hand_off.buffer];
        ++released.memories;
        if (hand_off.access == Usage::Write) {
            released.usage = Usage::Write;
        }
    }
    std::vector<std::shared_ptr<StressBuffer>> released;
    for (const auto& [buffer, how] : buffers) {
        released.push_back(buffer);
        buffer->model.add({.fence = self, .usage = how.usage, .most = how.memories});
    }
    // Its own fence is not there when it acquires.
    for (Needs& needs : needs_) {
        for (const auto& [buffer, access] : needs.acquires) {
            needs.added += buffers.contains(buffer) ? 1U : 0U;
        }
    }
    return released;
}

void StressSubmit::returned(VkResult result) {
    if (result != VK_SUCCESS) {
        // It attaches nothing, and nobody waits for it.
        phase_ = Phase::Signalled;
        finished_ = Knowledge::Yes;
        timelines_.clear();
        needs_.clear();
        batches_.clear();
    }
    state->returned();
}

void StressSubmit::submitted(std::span<const std::vector<Fd>> waits) {
    for (size_t i = 0; i < needs_.size(); ++i) {
        Needs& needs = needs_[i];
        collect(needs, false);
        for (const ModelEntry& entry : needs.put_off) {
            if (entry.fence->is_attached() != Knowledge::No) {
                allow(needs, entry);
            }
        }
        needs.put_off.clear();
        // One that came since and has signalled already is in no list, but may be in the wait.
        needs.doubles += static_cast<size_t>(2 * (added(needs) - needs.added));
        if (waits[i].size() > 1) {
            differences_.add("batch " + std::to_string(i) + " got " +
                             std::to_string(waits[i].size()) + " waits: one was enough");
        }
        Range seen;
        if (!waits[i].empty()) {
            const SyncFileInfo info = sync_file_info(waits[i].front().get());
            seen = info.is_pending() ? Range{info.fence_count, info.fence_count} : Range{};
        }
        const auto still_pending =
            std::count_if(needs.required.begin(), needs.required.end(),
                          [](const auto& fence) { return fence->is_pending(); });
        differences_.expect({.least = static_cast<size_t>(still_pending),
                             .most = needs.allowed.size() + needs.doubles},
                            seen, i, "(its batch's number) acquired by a submit");
    }
}

void StressSubmit::is_looking(size_t batch) {
    Needs& needs = needs_.at(batch);
    needs.may_be_blocked = std::any_of(needs.allowed.begin(), needs.allowed.end(),
                                       [](const auto& fence) { return fence->may_be_pending(); });
}

void StressSubmit::has_looked(size_t batch, bool may_start) {
    const Needs& needs = needs_.at(batch);
    if (!may_start && !needs.may_be_blocked) {
        differences_.add("batch " + std::to_string(batch) + " waits though nothing is pending");
    }
    if (may_start && std::any_of(needs.required.begin(), needs.required.end(),
                                 [](const auto& fence) { return fence->is_pending(); })) {
        differences_.add("batch " + std::to_string(batch) + " starts before what it acquires");
    }
}

void StressSubmit::is_signalling(size_t batch) {
    if (batch < last_releasing_) {
        differences_.add("the fence of batch " + std::to_string(batch) +
                         " stands for a release of batch " + std::to_string(last_releasing_));
    }
    phase_ = Phase::Signalling;
}

void StressSubmit::has_signalled(int error) {
    phase_ = Phase::Signalled;
    if (error != 0) {
        differences_.add("the GPU's fence: " + std::string(std::strerror(error)) +
                         " (ETIMEDOUT: the machine is too slow for this test)");
    }
}

void StressSubmit::has_finished() {
    // Not before: a buffer may be freed when no work uses it any more.
    batches_.clear();
    needs_.clear();
    timelines_.clear();
    finished_ = Knowledge::Yes;
}

} // namespace fencebridge::test
