// A thread of ours in somebody else's process, doing one queue's jobs in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <pthread.h>
#include <signal.h>
#include <thread>
#include <utility>

namespace fencebridge {

/// Starts its thread with the first job: who never needs it has none. The thread takes no signal of
/// the application's.
template<typename Job>
class Worker {
public:
    /// `work` runs on the thread, once a job, and throws nothing.
    explicit Worker(std::function<void(Job&)> work) : work_(std::move(work)) {}
    ~Worker() { stop(); }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Any thread. Throws std::bad_alloc or std::system_error; the job is then still the caller's.
    void add(Job&& job) {
        {
            const std::lock_guard guard(mutex_);
            if (!thread_.joinable()) {
                start();
            }
            jobs_.push_back(std::move(job));
        }
        // Without the lock: the thread would wake only to wait for it.
        wake_.notify_one();
    }

    /// Calls `look` on each job that waits for its turn, oldest first. Any thread.
    template<typename Look>
    void each_waiting(Look&& look) {
        const std::lock_guard guard(mutex_);
        for (Job& job : jobs_) {
            look(job);
        }
    }

    /// Does all jobs that are there, and ends the thread. Not from the thread itself.
    void stop() {
        {
            const std::lock_guard guard(mutex_);
            stopping_ = true;
            wake_.notify_one();
        }
        if (thread_.joinable()) {
            thread_.join();
        }
    }

private:
    void start() {
        sigset_t all{};
        sigset_t before{};
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        try {
            thread_ = std::thread([this] { run(); });
        } catch (...) {
            ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
            throw;
        }
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        ::pthread_setname_np(thread_.native_handle(), "fencebridge");
    }

    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (jobs_.empty()) {
                return;
            }
            Job job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            work_(job);
            lock.lock();
        }
    }

    std::function<void(Job&)> work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Job> jobs_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace fencebridge
