#include "driver/stress_world.hpp"

#include "support/readiness.hpp"

#include <vulkan/vulkan.h>

#include <cstring>
#include <string>
#include <utility>

namespace fencebridge::test {

namespace {

/// Words of 32 bits.
constexpr Extent stress_extent{256, 1};
static_assert(recording_words + peer_words <= stress_extent.width);

} // namespace

uint32_t word_at(const uint32_t* word) {
    return *const_cast<const volatile uint32_t*>(word);
}

Later::Later() : thread_([this] { run(); }) {}

Later::~Later() {
    {
        const std::lock_guard guard(mutex_);
        is_over_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Later::in(std::chrono::microseconds delay, std::function<void()> job) {
    {
        const std::lock_guard guard(mutex_);
        jobs_.emplace(std::chrono::steady_clock::now() + delay, std::move(job));
    }
    changed_.notify_all();
}

void Later::drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return jobs_.empty() && !is_busy_; });
}

void Later::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (jobs_.empty()) {
            if (is_over_) {
                return;
            }
            changed_.wait(lock);
            continue;
        }
        const auto due = jobs_.begin()->first;
        if (std::chrono::steady_clock::now() < due) {
            changed_.wait_until(lock, due);
            continue;
        }
        {
            const auto job = std::move(jobs_.extract(jobs_.begin()).mapped());
            is_busy_ = true;
            lock.unlock();
            job();
        }
        lock.lock();
        is_busy_ = false;
        changed_.notify_all();
    }
}

StressBuffer::StressBuffer(const VulkanContext& context, size_t its_number)
    : number(its_number), context_(context),
      first_(std::make_shared<SharedBuffer>(context, stress_extent)) {
    first_->fill_on_cpu(0);
}

std::shared_ptr<SharedBuffer> StressBuffer::memory(bool second) {
    const std::lock_guard guard(mutex_);
    return second && second_ ? second_ : first_;
}

void StressBuffer::toggle_second() {
    std::shared_ptr<SharedBuffer> old;
    const std::lock_guard guard(mutex_);
    if (second_) {
        std::swap(old, second_);
    } else {
        second_ = std::make_shared<SharedBuffer>(context_, stress_extent, first_->dma_buf);
    }
}

int StressPeer::finish() {
    // Peers that share a word may come in any order: the highest number stays.
    const std::shared_ptr<SharedBuffer> memory = buffer_->memory(false);
    std::atomic_ref<uint32_t> word(memory->words[recording_words + ordinal % peer_words]);
    uint32_t seen = word.load();
    while (seen < ordinal && !word.compare_exchange_weak(seen, ordinal)) {
    }
    const int error = signal();
    // Its buffer's model holds it.
    buffer_.reset();
    return error;
}

StressTimeline::StressTimeline(const VulkanContext& context)
    : TimelinePoint(true), context_(context) {
    const VkSemaphoreTypeCreateInfo type{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
        .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
    };
    const VkSemaphoreCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
        .pNext = &type,
    };
    FB_VK(vkCreateSemaphore(context.device, &info, nullptr, &handle));
}

StressTimeline::~StressTimeline() {
    vkDestroySemaphore(context_.device, handle, nullptr);
}

void StressTimeline::signal() {
    const VkSemaphoreSignalInfo info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
        .semaphore = handle,
        .value = 1,
    };
    host_begins();
    FB_VK(vkSignalSemaphore(context_.device, &info));
    host_has_signalled();
}

StressWorld::StressWorld(const VulkanContext& its_context, Differences& found)
    : context(its_context), differences(found), work(its_context), queues(context.queues.size()) {
    for (size_t i = 0; i < shared_buffer_count; ++i) {
        buffers_.push_back(std::make_shared<StressBuffer>(context, i));
    }
}

std::shared_ptr<StressBuffer> StressWorld::buffer(size_t number) {
    const std::lock_guard guard(buffers_mutex_);
    return buffers_.at(number);
}

void StressWorld::replace_buffer(size_t number) {
    auto buffer = std::make_shared<StressBuffer>(context, number);
    const std::lock_guard guard(buffers_mutex_);
    std::swap(buffers_.at(number), buffer);
}

void StressWorld::attach_peer(const std::shared_ptr<StressBuffer>& buffer, Usage usage,
                              std::chrono::microseconds takes) {
    const auto peer = std::make_shared<StressPeer>(fences, buffer, usage);
    buffer->model.add({.fence = peer, .usage = usage});
    if (const int error = peer->attach(buffer->dma_buf()); error != 0) {
        differences.add(std::string("IMPORT_SYNC_FILE: ") + std::strerror(error));
    }
    peers_.in(takes, [this, peer] {
        if (const int error = peer->finish(); error != 0) {
            differences.add(std::string("a peer's fence: ") + std::strerror(error));
        }
    });
}

void StressWorld::signal_later(std::shared_ptr<StressTimeline> timeline,
                               std::chrono::microseconds delay) {
    timelines_.in(delay, [timeline = std::move(timeline)] { timeline->signal(); });
}

void StressWorld::settle() {
    timelines_.drain();
    peers_.drain();
    for (QueueOrder& queue : queues) {
        queue.unresolved.clear();
    }
    for (size_t i = 0; i < shared_buffer_count; ++i) {
        const auto shared = buffer(i);
        // The kernel may hear a little later than the application that its work is done.
        if (!becomes_ready(shared->dma_buf(), POLLOUT)) {
            differences.add("buffer " + std::to_string(i) + " is never ready");
        }
        check(differences, shared->model, i, shared->dma_buf(), false);
    }
}

} // namespace fencebridge::test
