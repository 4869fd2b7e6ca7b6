// The order in which the presents of one swapchain reach its window system.
#pragma once

#include "present/presenter.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>

namespace fencebridge {

/// Presents are shown in the order of their vkQueuePresentKHR calls and one at a time, whichever
/// thread gets them ready: one whose work is behind an unsubmitted timeline signal is made ready by
/// the call that resolves it, perhaps while the application's next present is under way. Any
/// thread.
class PresentOrder {
public:
    using Number = uint64_t;

    /// A present is about to be submitted. ready() or forget() follows.
    Number expect(PresentRequest request) {
        const std::lock_guard guard(mutex_);
        waiting_.push_back({++last_, State::Submitting, std::move(request)});
        return last_;
    }

    /// Its fence is on the image: `show(PresentRequest&&)` is called for it and those that it held
    /// up, or will be where an earlier one is not ready or another thread is showing. Without a
    /// lock.
    template<typename Show>
    void ready(Number number, Show&& show) noexcept {
        settle(number, State::Ready, std::forward<Show>(show));
    }
    /// It was not submitted.
    template<typename Show>
    void forget(Number number, Show&& show) noexcept {
        settle(number, State::Forgotten, std::forward<Show>(show));
    }

    /// Nothing is shown any more: returns when no thread is showing.
    void close() noexcept {
        std::unique_lock lock(mutex_);
        waiting_.clear();
        changed_.wait(lock, [this] { return !is_showing_; });
    }

private:
    enum class State : uint8_t { Submitting, Ready, Forgotten };
    struct Waiting {
        Number number;
        State state;
        PresentRequest request;
    };

    template<typename Show>
    void settle(Number number, State state, Show&& show) noexcept {
        std::unique_lock lock(mutex_);
        for (Waiting& one : waiting_) {
            if (one.number == number) {
                one.state = state;
            }
        }
        if (is_showing_) {
            return;
        }
        while (!waiting_.empty() && waiting_.front().state != State::Submitting) {
            Waiting front = std::move(waiting_.front());
            waiting_.pop_front();
            if (front.state == State::Forgotten) {
                continue;
            }
            is_showing_ = true;
            lock.unlock();
            show(std::move(front.request));
            lock.lock();
            is_showing_ = false;
        }
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_; ///< a thread has done with showing
    bool is_showing_ = false;
    Number last_ = 0;
    std::deque<Waiting> waiting_;
};

} // namespace fencebridge
