#include "fence/proxy_source.hpp"

#include "report/log.hpp"

#include <algorithm>
#include <utility>

namespace fencebridge {

namespace {

using clock = std::chrono::steady_clock;

} // namespace

ProxySource::ProxySource(DeviceCalls calls, std::shared_ptr<Vgem> vgem, bool has_timelines,
                         std::chrono::milliseconds renew_after)
    : calls_(calls), vgem_(std::move(vgem)), renew_after_(renew_after), timeline_(calls),
      fences_(calls, FencePool::Kind::Plain), worker_([this](Job& job) { stand_for(job); }) {
    if (has_timelines) {
        (void)timeline_.make();
    }
}

std::optional<Ticket> ProxySource::begin(VkFence /*application_fence*/) {
    if (timeline_.handle() != VK_NULL_HANDLE) {
        return Ticket{.signal = timeline_.advance()};
    }
    const std::lock_guard guard(fences_mutex_);
    const VkFence fence = fences_.take();
    if (fence == VK_NULL_HANDLE) {
        return std::nullopt;
    }
    return Ticket{.fence = fence};
}

VkResult ProxySource::wait_for(const Ticket& ticket, std::chrono::nanoseconds timeout) const {
    const uint64_t limit =
        timeout.count() < 0 ? UINT64_MAX : static_cast<uint64_t>(timeout.count());
    if (ticket.signal) {
        const VkSemaphoreWaitInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
            .semaphoreCount = 1,
            .pSemaphores = &ticket.signal.semaphore,
            .pValues = &ticket.signal.value,
        };
        return calls_.next->WaitSemaphores(calls_.device, &info, limit);
    }
    return calls_.next->WaitForFences(calls_.device, 1, &ticket.fence, VK_TRUE, limit);
}

/// The work is over, or the device is: the ticket's fence is free.
void ProxySource::finish(const Ticket& ticket, VkResult result) {
    if (ticket.fence == VK_NULL_HANDLE || result != VK_SUCCESS) {
        return;
    }
    calls_.next->ResetFences(calls_.device, 1, &ticket.fence);
    const std::lock_guard guard(fences_mutex_);
    fences_.give_back(ticket.fence);
}

Completion ProxySource::wait_on_cpu(const Ticket& ticket, const char* why) {
    const VkResult result = wait_for(ticket, std::chrono::nanoseconds(-1));
    finish(ticket, result);
    return {
        .state = result == VK_SUCCESS ? Completion::State::Done : Completion::State::Failed,
        .sync_file = {},
        .fallback = why,
    };
}

Completion ProxySource::take(const Ticket& ticket, std::span<const AttachTarget> targets,
                             ProxyFence& guard) {
    // Of a call that ran out of memory before it came to attached().
    (void)attached({});
    if (is_slow_.load(std::memory_order_relaxed)) {
        return wait_on_cpu(ticket, "work of this queue has outlived vgem's ten seconds");
    }
    // A guard that is old stays beside a new fence.
    const bool is_guard = guard && is_young(guard);
    ProxyFence fence = is_guard ? std::exchange(guard, {}) : make_fence();
    UniqueFd sync_file = fence.take_sync_file();
    if (!sync_file) {
        return wait_on_cpu(ticket, "vgem gave no fence");
    }
    Job job{.ticket = ticket,
            .fence = {},
            .others = {},
            .newest = fence.made(),
            .targets = {},
            .sync_file = {}};
    try {
        job.targets = spare_targets();
        job.targets.assign(targets.begin(), targets.end());
        if (guard) {
            job.others.push_back(std::move(guard));
        }
    } catch (const std::bad_alloc&) {
        return wait_on_cpu(ticket, "no memory for a proxy");
    }
    job.fence = std::move(fence);
    taken_.emplace(std::move(job));
    return {.state = Completion::State::Pending,
            .sync_file = std::move(sync_file),
            .is_guard = is_guard};
}

const char* ProxySource::attached(Completion&& completion) noexcept {
    if (!taken_) {
        return nullptr;
    }
    Job job = std::move(*taken_);
    taken_.reset();
    job.sync_file = std::move(completion.sync_file);
    try {
        worker_.add(std::move(job));
        return nullptr;
    } catch (const std::exception&) {
        // The fence signals as the job goes.
        (void)wait_on_cpu(job.ticket, nullptr);
        return "no memory, or no thread, for a proxy";
    }
}

void ProxySource::stop() {
    (void)attached({});
    worker_.stop();
}

void ProxySource::abandon(const Ticket& ticket) {
    // A value of the timeline that nobody signals is skipped by the next one.
    if (ticket.fence != VK_NULL_HANDLE) {
        const std::lock_guard guard(fences_mutex_);
        fences_.give_back(ticket.fence);
    }
}

/// The one that the thread has made ahead, or a new one.
ProxyFence ProxySource::make_fence() {
    {
        const std::lock_guard guard(spares_mutex_);
        if (prepared_ && is_young(prepared_)) {
            return std::exchange(prepared_, {});
        }
    }
    // What has aged is the thread's to replace: it takes one more call to signal it.
    return vgem_->make_fence();
}

/// One that has spent some of its time would make the work seem slower than it is.
bool ProxySource::is_young(const ProxyFence& fence) const {
    return clock::now() - fence.made() < renew_after_ / 50;
}

/// On the thread.
void ProxySource::prepare_fence() {
    {
        const std::lock_guard guard(spares_mutex_);
        if (prepared_ && is_young(prepared_)) {
            return;
        }
    }
    ProxyFence fence = vgem_->make_fence();
    const std::lock_guard guard(spares_mutex_);
    // The old one signals without the lock.
    std::swap(prepared_, fence);
}

/// On the thread: from the submit to the end of its work.
void ProxySource::stand_for(Job& job) {
    job.sync_file.reset();
    // Jobs come about in the order of their fences' making, and are renewed together: this one's
    // fence is the oldest, but for what fences were made ahead.
    const auto time_left = [&] {
        return std::max(clock::duration::zero(), job.newest + renew_after_ - clock::now());
    };
    VkResult result = wait_for(job.ticket, time_left());
    while (result == VK_TIMEOUT) {
        is_slow_.store(true, std::memory_order_relaxed);
        static Once once;
        if (once.first()) {
            log(LogLevel::Warn,
                "work runs for longer than a proxy fence may live: fences are renewed, and the CPU "
                "waits for this queue's next hand-offs");
        }
        renew(job);
        worker_.each_waiting([this](Job& waiting) { renew(waiting); });
        result = wait_for(job.ticket, time_left());
    }
    (void)job.fence.signal();
    for (ProxyFence& fence : job.others) {
        (void)fence.signal();
    }
    finish(job.ticket, result);
    spare(std::move(job.targets));
    if (!is_slow_.load(std::memory_order_relaxed)) {
        prepare_fence();
    }
}

std::vector<AttachTarget> ProxySource::spare_targets() {
    const std::lock_guard guard(spares_mutex_);
    if (spares_.empty()) {
        return {};
    }
    std::vector<AttachTarget> targets = std::move(spares_.back());
    spares_.pop_back();
    return targets;
}

void ProxySource::spare(std::vector<AttachTarget>&& targets) noexcept {
    targets.clear();
    try {
        const std::lock_guard guard(spares_mutex_);
        spares_.push_back(std::move(targets));
    } catch (const std::bad_alloc&) {
        log(LogLevel::Debug, "out of memory: a proxy's list of buffers is not kept for the next");
    }
}

/// Puts another fence on the job's buffers. Where there is none to be had, the next round tries
/// again.
void ProxySource::renew(Job& job) {
    job.newest = clock::now();
    ProxyFence next = vgem_->make_fence();
    if (!next) {
        return;
    }
    for (const AttachTarget& target : job.targets) {
        // Null where the dma-buf could not be had: its hand-off was waited for.
        if (target.buffer) {
            (void)target.buffer->attach_fence(next.sync_file().get(), target.access);
        }
    }
    try {
        job.others.push_back(std::move(next));
    } catch (const std::bad_alloc&) {
        // Nobody holds the fence any more: it has signalled as it went.
        log(LogLevel::Error, "out of memory: a proxy fence could not be renewed");
    }
}

} // namespace fencebridge
