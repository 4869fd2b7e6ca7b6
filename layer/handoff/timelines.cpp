#include "handoff/timelines.hpp"

#include "dispatch/chain.hpp"

#include <algorithm>
#include <new>

namespace fencebridge {

namespace {

/// One batch's semaphores with their values, whatever the structure. `visit` gets (semaphore,
/// value).
template<typename Batch>
const VkTimelineSemaphoreSubmitInfo* values_of(const Batch& batch) {
    return find_in_chain<VkTimelineSemaphoreSubmitInfo>(
        batch.pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
}

template<typename Batch, typename Visit>
void each_wait(const Batch& batch, Visit&& visit) {
    if (const auto* values = values_of(batch)) {
        const uint32_t count = std::min(batch.waitSemaphoreCount, values->waitSemaphoreValueCount);
        for (uint32_t i = 0; i < count; ++i) {
            visit(batch.pWaitSemaphores[i], values->pWaitSemaphoreValues[i]);
        }
    }
}
template<typename Batch, typename Visit>
void each_signal(const Batch& batch, Visit&& visit) {
    if (const auto* values = values_of(batch)) {
        const uint32_t count =
            std::min(batch.signalSemaphoreCount, values->signalSemaphoreValueCount);
        for (uint32_t i = 0; i < count; ++i) {
            visit(batch.pSignalSemaphores[i], values->pSignalSemaphoreValues[i]);
        }
    }
}
template<typename Visit>
void each_wait(const VkSubmitInfo2& batch, Visit&& visit) {
    for (uint32_t i = 0; i < batch.waitSemaphoreInfoCount; ++i) {
        visit(batch.pWaitSemaphoreInfos[i].semaphore, batch.pWaitSemaphoreInfos[i].value);
    }
}
template<typename Visit>
void each_signal(const VkSubmitInfo2& batch, Visit&& visit) {
    for (uint32_t i = 0; i < batch.signalSemaphoreInfoCount; ++i) {
        visit(batch.pSignalSemaphoreInfos[i].semaphore, batch.pSignalSemaphoreInfos[i].value);
    }
}

bool covers(std::span<const TimelinePoint> signals, const TimelinePoint& wait) {
    return std::any_of(signals.begin(), signals.end(), [&](const TimelinePoint& signal) {
        return signal.semaphore == wait.semaphore && signal.value >= wait.value;
    });
}

} // namespace

void Timelines::created(VkSemaphore semaphore, uint64_t initial_value) {
    const std::lock_guard guard(mutex_);
    resolved_[semaphore] = initial_value;
    count_.store(resolved_.size(), std::memory_order_release);
}

std::vector<ParkedRelease> Timelines::destroyed(VkSemaphore semaphore) noexcept {
    if (!any()) {
        return {};
    }
    const std::lock_guard guard(mutex_);
    const auto is_its = [&](const TimelinePoint& point) { return point.semaphore == semaphore; };
    for (auto& [queue, submits] : waiting_) {
        for (Submit& submit : submits) {
            std::erase_if(submit.points.waits, is_its);
            std::erase_if(submit.points.signals, is_its);
        }
    }
    resolved_.erase(semaphore);
    count_.store(resolved_.size(), std::memory_order_release);
    return resolve();
}

void Timelines::payload_replaced(VkSemaphore semaphore) {
    const std::lock_guard guard(mutex_);
    if (const auto known = resolved_.find(semaphore); known != resolved_.end()) {
        known->second = 0;
    }
}

bool Timelines::may_have_points(std::span<const VkSubmitInfo> batches) {
    return std::any_of(batches.begin(), batches.end(),
                       [](const VkSubmitInfo& batch) { return values_of(batch) != nullptr; });
}

bool Timelines::may_have_points(std::span<const VkSubmitInfo2> batches) {
    // Binary semaphores have a value, too, which means nothing and is 0 as a rule.
    bool may_have = false;
    const auto look = [&](VkSemaphore /*semaphore*/, uint64_t value) { may_have |= value != 0; };
    for (const VkSubmitInfo2& batch : batches) {
        each_wait(batch, look);
        each_signal(batch, look);
    }
    return may_have;
}

template<typename Batch>
void Timelines::collect_all(std::span<const Batch> batches, TimelinePoints& points) const {
    const std::lock_guard guard(mutex_);
    for (const Batch& batch : batches) {
        each_wait(batch, [&](VkSemaphore semaphore, uint64_t value) {
            const TimelinePoint wait{semaphore, value};
            if (resolved_.contains(semaphore) && !covers(points.signals, wait)) {
                points.waits.push_back(wait);
            }
        });
        each_signal(batch, [&](VkSemaphore semaphore, uint64_t value) {
            if (resolved_.contains(semaphore)) {
                points.signals.push_back({semaphore, value});
            }
        });
    }
}

void Timelines::collect(std::span<const VkSubmitInfo> batches, TimelinePoints& points) const {
    collect_all(batches, points);
}
void Timelines::collect(std::span<const VkSubmitInfo2> batches, TimelinePoints& points) const {
    collect_all(batches, points);
}
void Timelines::collect(std::span<const VkBindSparseInfo> batches, TimelinePoints& points) const {
    collect_all(batches, points);
}

/// Called with the lock held.
bool Timelines::reached(const TimelinePoint& point) const {
    const auto found = resolved_.find(point.semaphore);
    if (found == resolved_.end() || found->second >= point.value) {
        // A semaphore that was destroyed meanwhile has no pending wait: Vulkan forbids it.
        return true;
    }
    if (signalling_calls_ != 0) {
        return false;
    }
    // Signals that did not pass through us: another process's, or one made by the driver itself.
    uint64_t value = 0;
    if (calls_.next->GetSemaphoreCounterValue == nullptr ||
        calls_.next->GetSemaphoreCounterValue(calls_.device, point.semaphore, &value) !=
            VK_SUCCESS) {
        return false;
    }
    found->second = std::max(found->second, value);
    return found->second >= point.value;
}

/// Called with the lock held.
void Timelines::raise(const TimelinePoint& point) {
    if (const auto found = resolved_.find(point.semaphore); found != resolved_.end()) {
        found->second = std::max(found->second, point.value);
    }
}

void Timelines::submitting(const TimelinePoints& points) {
    if (!points.signals.empty()) {
        const std::lock_guard guard(mutex_);
        ++signalling_calls_;
    }
}

void Timelines::not_submitted(const TimelinePoints& points) {
    if (!points.signals.empty()) {
        const std::lock_guard guard(mutex_);
        --signalling_calls_;
    }
}

void Timelines::host_signalling() {
    const std::lock_guard guard(mutex_);
    ++signalling_calls_;
}

void Timelines::host_signal_failed() {
    const std::lock_guard guard(mutex_);
    --signalling_calls_;
}

bool Timelines::is_resolved(const QueueSubmitter* queue,
                            std::span<const TimelinePoint> waits) const {
    if (waits.empty() && !any_unresolved()) {
        return true;
    }
    const std::lock_guard guard(mutex_);
    return resolved_now(queue, waits);
}

/// Called with the lock held.
bool Timelines::resolved_now(const QueueSubmitter* queue,
                             std::span<const TimelinePoint> waits) const {
    // A signal covers what was submitted to its queue before: behind an unresolved submit, nothing
    // is.
    if (const auto queued = waiting_.find(queue);
        queued != waiting_.end() && !queued->second.empty()) {
        return false;
    }
    return std::all_of(waits.begin(), waits.end(),
                       [&](const TimelinePoint& wait) { return reached(wait); });
}

std::vector<ParkedRelease> Timelines::submitted(const QueueSubmitter* queue,
                                                const TimelinePoints& points,
                                                std::optional<ParkedRelease> parked) {
    if (points.empty() && !parked && !any_unresolved()) {
        return {};
    }
    const std::lock_guard guard(mutex_);
    // Whatever was parked because this call was in progress is looked at again here.
    signalling_calls_ -= points.signals.empty() ? 0U : 1U;
    if (!resolved_now(queue, points.waits)) {
        waiting_[queue].push_back({points, std::move(parked)});
        unresolved_.fetch_add(1, std::memory_order_release);
        // Another process may have signalled an imported timeline since we last looked.
        return resolve();
    }
    for (const TimelinePoint& signal : points.signals) {
        raise(signal);
    }
    std::vector<ParkedRelease> released;
    if (any_unresolved()) {
        released = resolve();
    }
    if (parked) {
        // Resolved between the question and the submit, by another thread.
        released.push_back(std::move(*parked));
    }
    return released;
}

std::vector<ParkedRelease> Timelines::signalled_by_host(const TimelinePoint& point) noexcept {
    const std::lock_guard guard(mutex_);
    --signalling_calls_;
    raise(point);
    return resolve();
}

std::vector<ParkedRelease> Timelines::signalled_by_thread(const TimelinePoint& point) noexcept {
    const std::lock_guard guard(mutex_);
    raise(point);
    return resolve();
}

std::vector<ParkedRelease> Timelines::look_again() noexcept {
    const std::lock_guard guard(mutex_);
    return resolve();
}

/// Called with the lock held. Takes resolved submits off the queues' fronts until none is left: one
/// queue's signal may be what another queue's front waits for.
std::vector<ParkedRelease> Timelines::resolve() {
    std::vector<ParkedRelease> released;
    for (bool progress = true; progress;) {
        progress = false;
        for (auto& [queue, submits] : waiting_) {
            while (!submits.empty()) {
                Submit& front = submits.front();
                if (!std::all_of(front.points.waits.begin(), front.points.waits.end(),
                                 [&](const TimelinePoint& wait) { return reached(wait); })) {
                    break;
                }
                for (const TimelinePoint& signal : front.points.signals) {
                    raise(signal);
                }
                if (front.parked) {
                    try {
                        released.push_back(std::move(*front.parked));
                    } catch (const std::bad_alloc&) {
                        return released;
                    }
                }
                submits.pop_front();
                unresolved_.fetch_sub(1, std::memory_order_release);
                progress = true;
            }
        }
    }
    return released;
}

} // namespace fencebridge
