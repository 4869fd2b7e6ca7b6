// A process that is interrupted all the time: a profiler, a timer, a garbage collector.
#pragma once

#include <atomic>
#include <cerrno>
#include <csignal>
#include <sys/time.h>

namespace fencebridge::test {

/// While it lives, SIGALRM comes every millisecond, with a handler that does not ask for restarts:
/// system calls that sleep return EINTR. One at a time.
class SignalStorm {
public:
    SignalStorm() {
        count_ = 0;
        struct sigaction action{};
        // Any thread may be the one that is interrupted.
        action.sa_handler = [](int) {
            const int saved = errno;
            count_.fetch_add(1, std::memory_order_relaxed);
            errno = saved;
        };
        ::sigaction(SIGALRM, &action, &previous_);
        const itimerval every{.it_interval = {.tv_sec = 0, .tv_usec = 1000},
                              .it_value = {.tv_sec = 0, .tv_usec = 1000}};
        ::setitimer(ITIMER_REAL, &every, nullptr);
    }
    ~SignalStorm() {
        const itimerval never{};
        ::setitimer(ITIMER_REAL, &never, nullptr);
        ::sigaction(SIGALRM, &previous_, nullptr);
    }
    SignalStorm(const SignalStorm&) = delete;
    SignalStorm& operator=(const SignalStorm&) = delete;

    int signals() const { return count_; }

private:
    static inline std::atomic<int> count_ = 0;
    static_assert(std::atomic<int>::is_always_lock_free);
    struct sigaction previous_{};
};

} // namespace fencebridge::test
