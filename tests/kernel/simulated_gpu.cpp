#include "kernel/simulated_gpu_objects.hpp"
#include "support/readiness.hpp"
#include "vulkan_handles.hpp"

#include <algorithm>
#include <fcntl.h>
#include <utility>

namespace fencebridge::test {

namespace {

thread_local std::shared_ptr<GpuObserver> current_observer;
thread_local bool current_fails = false;
thread_local bool current_is_trailing = false;

/// A batch number that every batch of the application's is before.
constexpr size_t behind_all = static_cast<size_t>(-1);

} // namespace

SimulatedGpu::Call::Call(std::shared_ptr<GpuObserver> observer, bool fails) {
    current_observer = std::move(observer);
    current_fails = fails;
    current_is_trailing = false;
}

SimulatedGpu::Call::~Call() {
    current_observer.reset();
}

SimulatedGpu::SimulatedGpu(VgemFences& fences) : fences_(fences) {
    for (Queue& queue : queues_) {
        queue.gpu = this;
    }
    Functions::fill(table);
}

SimulatedGpu::~SimulatedGpu() = default;

VkResult SimulatedGpu::submit(Queue& queue, std::vector<Batch> batches, VkFence fence) {
    const std::lock_guard guard(mutex_);
    if (std::exchange(current_fails, false)) {
        return VK_ERROR_OUT_OF_DEVICE_MEMORY;
    }
    auto work = std::make_shared<Work>();
    work->observer = current_observer;
    work->is_trailing = std::exchange(current_is_trailing, true);
    std::vector<std::vector<Fd>> seen(batches.size());
    for (size_t i = 0; i < batches.size(); ++i) {
        Batch& batch = batches[i];
        for (const Batch::Point& wait : batch.waits) {
            Semaphore& semaphore = semaphores_.at(wait.semaphore);
            if (semaphore.counter) {
                batch.timeline_waits.push_back(wait);
                continue;
            }
            rule(static_cast<bool>(semaphore.imported), "a wait for what nobody signals");
            seen[i].emplace_back(::fcntl(semaphore.imported.get(), F_DUPFD_CLOEXEC, 3));
            batch.sync_files.push_back(std::exchange(semaphore.imported, Fd()));
            semaphore.waiting = work;
            semaphore.waiting_batch = i;
        }
        for (const Batch::Point& signal : batch.signals) {
            Semaphore& semaphore = semaphores_.at(signal.semaphore);
            if (semaphore.counter) {
                batch.timeline_signals.push_back(signal);
                continue;
            }
            rule(semaphore.payload == nullptr, "a second signal on a binary semaphore");
            semaphore.payload = std::make_shared<Payload>();
            semaphore.payload->observer = work->observer;
            semaphore.payload->batch = work->is_trailing ? behind_all : i;
            semaphore.payload->is_layers = true;
            batch.payloads.push_back(semaphore.payload);
        }
    }
    if (fence != VK_NULL_HANDLE) {
        FenceObject& object = fence_objects_.at(fence);
        rule(object.payload == nullptr && !object.has_import, "a submit with a fence in use");
        object.payload = std::make_shared<Payload>();
        object.payload->observer = work->observer;
        object.payload->batch = behind_all;
        object.payload->is_layers = object.is_layers;
        work->fence = object.payload;
    }
    work->batches = std::move(batches);
    queue.works.push_back(work);
    if (!work->is_trailing && work->observer != nullptr) {
        work->observer->submitted(seen);
    }
    return VK_SUCCESS;
}

SimulatedGpu::Step SimulatedGpu::step(size_t index) {
    std::shared_ptr<Work> finished;
    {
        const std::lock_guard guard(mutex_);
        Queue& queue = queues_.at(index);
        if (queue.works.empty()) {
            return Step::Idle;
        }
        Work& work = *queue.works.front();
        const bool is_observed = work.observer != nullptr && !work.is_trailing;
        if (work.next < work.batches.size()) {
            Batch& batch = work.batches[work.next];
            for (const Batch::Point& wait : batch.timeline_waits) {
                if (*semaphores_.at(wait.semaphore).counter < wait.value) {
                    return Step::Blocked;
                }
            }
            if (is_observed) {
                work.observer->is_looking(work.next);
            }
            const bool may_start =
                std::all_of(batch.sync_files.begin(), batch.sync_files.end(),
                            [](const Fd& file) { return is_ready(file.get(), POLLIN); });
            if (is_observed) {
                work.observer->has_looked(work.next, may_start);
            }
            if (!may_start) {
                return Step::Blocked;
            }
            for (const Batch::Point& signal : batch.timeline_signals) {
                semaphores_.at(signal.semaphore).counter = signal.value;
            }
            for (const auto& payload : batch.payloads) {
                execute(*payload);
            }
            batch.sync_files.clear();
            ++work.next;
        }
        if (work.next < work.batches.size()) {
            return Step::Worked;
        }
        if (is_observed) {
            work.observer->is_finishing();
        }
        if (work.fence) {
            execute(*work.fence);
        }
        finished = std::move(queue.works.front());
        queue.works.pop_front();
    }
    if (finished->observer != nullptr && !finished->is_trailing) {
        finished->observer->has_finished();
    }
    finished->observer.reset();
    return Step::Worked;
}

void SimulatedGpu::execute(Payload& payload) {
    if (payload.is_layers && payload.observer != nullptr) {
        payload.observer->is_signalling(payload.batch);
    }
    payload.executed = true;
    const int error = payload.fence ? payload.fence->signal() : 0;
    payload.fence.reset();
    if (payload.is_layers && payload.observer != nullptr) {
        payload.observer->has_signalled(error);
    }
    // Its work still holds it, so that it does not go under this lock.
    payload.observer.reset();
}

/// The descriptor of a SYNC_FD export, whose side effect is that of a wait.
int SimulatedGpu::export_payload(std::shared_ptr<Payload>& payload) {
    if (payload == nullptr) {
        return -1;
    }
    const auto taken = std::exchange(payload, nullptr);
    // What is over may come as -1 or as a sync_file that has signalled.
    if (taken->executed && ++exports_ % 2 == 0) {
        return -1;
    }
    taken->fence.emplace(fences_);
    const int fd = ::fcntl(taken->fence->sync_file(), F_DUPFD_CLOEXEC, 3);
    if (taken->executed) {
        taken->fence.reset();
    }
    return fd;
}

size_t SimulatedGpu::backlog(size_t index) {
    const std::lock_guard guard(mutex_);
    return queues_.at(index).works.size();
}

VkSemaphore SimulatedGpu::create_timeline() {
    const std::lock_guard guard(mutex_);
    const auto handle = new_handle<VkSemaphore>();
    semaphores_[handle].counter = 0;
    return handle;
}

void SimulatedGpu::destroy_timeline(VkSemaphore timeline) {
    const std::lock_guard guard(mutex_);
    semaphores_.erase(timeline);
}

VkFence SimulatedGpu::create_application_fence() {
    const std::lock_guard guard(mutex_);
    const auto handle = new_handle<VkFence>();
    fence_objects_[handle] = {};
    return handle;
}

void SimulatedGpu::destroy_application_fence(VkFence fence) {
    const std::lock_guard guard(mutex_);
    fence_objects_.erase(fence);
}

bool SimulatedGpu::has_signalled(VkFence fence) {
    const std::lock_guard guard(mutex_);
    const FenceObject& object = fence_objects_.at(fence);
    if (object.has_import) {
        return !object.imported || is_ready(object.imported.get(), POLLIN);
    }
    return object.payload != nullptr && object.payload->executed;
}

std::map<std::string, size_t> SimulatedGpu::broken_rules() {
    const std::lock_guard guard(mutex_);
    return broken_rules_;
}

size_t SimulatedGpu::live_objects() {
    const std::lock_guard guard(mutex_);
    return semaphores_.size() + fence_objects_.size();
}

void SimulatedGpu::rule(bool kept, const char* text) {
    if (!kept) {
        ++broken_rules_[text];
    }
}

template<typename Handle>
Handle SimulatedGpu::new_handle() {
    last_handle_ += 0x10;
    return handle_of_number<Handle>(last_handle_);
}
template VkSemaphore SimulatedGpu::new_handle<VkSemaphore>();
template VkFence SimulatedGpu::new_handle<VkFence>();

} // namespace fencebridge::test
