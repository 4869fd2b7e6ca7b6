// One submit of the stress test, as the model sees it: what it hands off, what it has to wait for,
// what the GPU does with it.
#pragma once

#include "kernel/stress_world.hpp"

#include <map>
#include <memory>
#include <set>
#include <vector>

namespace fencebridge::test {

/// One barrier that transfers ownership.
struct StressHandOff {
    std::shared_ptr<StressBuffer> buffer;
    std::shared_ptr<StressMemory> memory;
    bool is_acquire;
    Usage access;
};

/// The hand-offs of the command buffers of one batch.
using StressBatch = std::vector<StressHandOff>;

/// It is the fence of its releases, and the GPU's observer. In this order: construct, begin(), the
/// layer's call, returned(). Other threads may ask it from begin() on.
class StressSubmit final : public ModelFence, public GpuObserver {
public:
    /// `behind`: what keeps it from being resolved. `timelines`: those that it names itself.
    StressSubmit(Differences& found, std::vector<StressBatch> batches, TimelinePoints behind,
                 TimelinePoints timelines);

    const std::shared_ptr<SubmitState> state;

    /// Notes what it has to wait for, and that its fence is about to come. `self` is this. Returns
    /// the buffers that it releases.
    std::vector<std::shared_ptr<StressBuffer>> begin(const std::shared_ptr<StressSubmit>& self);
    void returned(VkResult result);

    Knowledge is_finished() const { return finished_; }

    Knowledge is_attached() override { return state->is_attached(); }
    bool may_be_pending() override { return phase_ != Phase::Signalled; }
    bool is_pending() override { return phase_ == Phase::Pending; }

    void submitted(std::span<const std::vector<Fd>> waits) override;
    void is_looking(size_t batch) override;
    void has_looked(size_t batch, bool may_start) override;
    void is_signalling(size_t batch) override;
    void has_signalled(int error) override;
    void is_finishing() override { finished_ = Knowledge::Maybe; }
    void has_finished() override;

private:
    using Fences = std::set<std::shared_ptr<ModelFence>>;
    struct Needs {
        /// Each dma-buf that it acquires; twice where two memories are acquired with two accesses.
        std::vector<std::pair<std::shared_ptr<StressBuffer>, Usage>> acquires;
        Fences required; ///< stood there before the call
        Fences allowed;  ///< may have stood there when the layer looked
        /// Put off when the call began. Such a one may be attached, met by the layer and signalled
        /// before the call has returned, and is in no list then.
        std::vector<ModelEntry> put_off;
        size_t doubles = 0; ///< of them, that the layer may have met twice
        uint64_t added = 0; ///< to the buffers' models, so far
        bool may_be_blocked = false;
    };
    static void allow(Needs& needs, const ModelEntry& entry);
    void collect(Needs& needs, bool before) const;
    static uint64_t added(const Needs& needs);

    Differences& differences_;
    // Only touched by the submitting call and, with the GPU's lock, by the GPU; gone when it is
    // done.
    std::vector<StressBatch> batches_;
    std::vector<Needs> needs_;
    TimelinePoints timelines_;
    size_t last_releasing_ = 0;
    std::atomic<Phase> phase_ = Phase::Pending;
    std::atomic<Knowledge> finished_ = Knowledge::No;
};

} // namespace fencebridge::test
