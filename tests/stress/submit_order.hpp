// Wait-before-signal in the model: which submits are put off, and behind what.
//
// A submit is resolved when everything that it waits for has been submitted, and so has everything
// before it on its queue. Until then no fence of it may stand on a dma-buf; the call that resolves
// it attaches the fence before it returns.
#pragma once

#include "stress/fence_model.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace fencebridge::test {

class TimelinePoint;
using TimelinePoints = std::vector<std::shared_ptr<TimelinePoint>>;

/// Where one submit stands. Any thread.
class SubmitState {
public:
    /// `behind`: the points that are not resolved, its own and those of its queue.
    explicit SubmitState(TimelinePoints behind) : behind_(std::move(behind)) {}

    /// Its call has returned.
    void returned() { returned_ = true; }

    /// Whether its fences are on their dma-bufs.
    Knowledge is_attached();

private:
    const TimelinePoints behind_;
    std::atomic<bool> returned_ = false;
    std::atomic<bool> attached_ = false; ///< known once and for all
};

/// One value of a timeline semaphore that submits wait for before anybody has submitted its signal.
class TimelinePoint {
public:
    virtual ~TimelinePoint() = default;
    /// `by_host`: only the host will signal it, so it can be waited for by all and on any queue.
    explicit TimelinePoint(bool by_host) : by_host_(by_host) {}
    TimelinePoint(const TimelinePoint&) = delete;
    TimelinePoint& operator=(const TimelinePoint&) = delete;

    bool is_by_host() const { return by_host_; }

    /// The host's call begins, and has returned.
    void host_begins() { set(Knowledge::Maybe, nullptr); }
    void host_has_signalled() { set(Knowledge::Yes, nullptr); }

    /// A submit that signals it is about to be made; or was refused.
    void submit_begins(std::shared_ptr<SubmitState> submit) {
        set(Knowledge::No, std::move(submit));
    }
    void submit_failed() { set(Knowledge::No, nullptr); }

    /// Whether it is resolved.
    Knowledge is_resolved();

private:
    void set(Knowledge by_itself, std::shared_ptr<SubmitState> submit);

    const bool by_host_;
    std::mutex mutex_;
    Knowledge resolved_ = Knowledge::No;
    std::shared_ptr<SubmitState> submit_; ///< that signals it
};

/// One queue: Vulkan's lock for its submits, and what it is stuck behind.
struct QueueOrder {
    std::mutex lock;
    TimelinePoints unresolved; ///< may hold some that have been resolved meanwhile

    /// Forgets what has been resolved. With the lock held.
    const TimelinePoints& still_unresolved();
};

} // namespace fencebridge::test
