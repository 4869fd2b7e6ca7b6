// A model of the fences on a dma-buf (its dma_resv), as exact as what concurrent threads know
// allows.
//
// A thread that looks at a dma-buf asks the model before and after. Between the two, other threads
// may attach fences and signal them, so the model answers with a range:
//   at least: the fences that stood there for sure before, and had for sure not signalled after;
//   at most:  those that may have stood there at any time between.
// Where no other thread touches the buffer in between, and that is nearly always, both are the same
// number and there is one right answer.
#pragma once

#include "stress/differences.hpp"
#include "support/vgem.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace fencebridge::test {

/// What can be said of an event that happens once, by whoever does not make it happen. It only ever
/// goes up.
enum class Knowledge : uint8_t {
    No,    ///< it has not happened
    Maybe, ///< somebody is about it
    Yes,   ///< it has happened
};

/// A fence that work of ours or of a peer leaves on dma-bufs. All functions: any thread.
class ModelFence {
public:
    virtual ~ModelFence() = default;
    ModelFence() = default;
    ModelFence(const ModelFence&) = delete;
    ModelFence& operator=(const ModelFence&) = delete;

    /// Whether it stands on its dma-bufs.
    virtual Knowledge is_attached() = 0;
    /// False: it has signalled, for sure.
    virtual bool may_be_pending() = 0;
    /// True: it has not signalled, for sure.
    virtual bool is_pending() = 0;
};

/// Whether a party with this access must wait for a fence of that usage (dma_resv.h: readers wait
/// for writers, writers for everybody).
constexpr bool conflicts(Usage access, Usage usage) {
    return access == Usage::Write || usage == Usage::Write;
}

/// A fence on one dma-buf.
struct ModelEntry {
    std::shared_ptr<ModelFence> fence;
    Usage usage;
    /// Through how many memories it is attached. The kernel may keep one for each: it puts a fence
    /// in the first place that is free, and looks no further.
    size_t most = 1;
};

/// The fences of one dma-buf. Thread-safe.
class BufferModel {
public:
    /// A call begins that will attach this fence, or one that puts it off until later.
    void add(ModelEntry entry);

    /// All that may be pending on it, attached or not.
    std::vector<ModelEntry> entries();

    /// How many were ever added.
    uint64_t added();

private:
    std::mutex mutex_;
    std::vector<ModelEntry> entries_;
    uint64_t added_ = 0;
};

/// One look at a dma-buf, from before to after.
class ModelLook {
public:
    ModelLook(BufferModel& model, Usage access);

    /// The look is over: how many pending fences a party with this access had to see.
    Range finish();

private:
    struct Known {
        ModelEntry entry;
        Knowledge was_attached;
    };
    BufferModel& model_;
    const Usage access_;
    uint64_t added_;
    std::vector<Known> known_;
};

enum class LookBy : uint8_t { Poll, Export };

/// Looks at a dma-buf and holds what is seen against its model. `counts`: whether the fences that
/// are exported are told apart (each is of a context of its own), else only none from some.
void check(Differences& differences, BufferModel& model, size_t number, int dma_buf, Usage access,
           LookBy by, bool counts);

/// All four looks.
void check(Differences& differences, BufferModel& model, size_t number, int dma_buf, bool counts);

} // namespace fencebridge::test
