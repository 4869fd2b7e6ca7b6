#include "driver/stress_thread.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>

namespace fencebridge::test {

namespace {

constexpr size_t host_bytes =
    StressThread::recording_count * StressRecording::host_words * sizeof(uint32_t);

} // namespace

StressThread::StressThread(StressWorld& world, uint64_t seed, size_t number)
    : world_(world), number_(number), draws_(seed, number),
      host_(world.context, host_bytes,
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT) {
    std::fill_n(host_.mapped, host_bytes / sizeof(uint32_t), 0U);
    make_pool();
    for (size_t i = 0; i < recording_count; ++i) {
        recordings_.push_back(std::make_unique<StressRecording>(
            world, pool_, number * recording_count + i, host_, i * StressRecording::host_words));
    }
}

StressThread::~StressThread() {
    recordings_.clear();
    vkDestroyCommandPool(world_.context.device, pool_, nullptr);
}

void StressThread::make_pool() {
    const VkCommandPoolCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
    };
    FB_VK(vkCreateCommandPool(world_.context.device, &info, nullptr, &pool_));
}

void StressThread::run(uint64_t operations) {
    for (uint64_t i = 0; i < operations; ++i) {
        Differences::at(number_, i);
        do_one();
    }
    for (const auto& recording : recordings_) {
        wait_for(*recording);
    }
}

std::shared_ptr<StressBuffer> StressThread::any_buffer() {
    return world_.buffer(draws_.below(draws_.one_in(3) ? 8 : shared_buffer_count));
}

void StressThread::do_one() {
    const size_t drawn = draws_.below(100);
    if (drawn < 45) {
        submit();
    } else if (drawn < 63) {
        const auto buffer = any_buffer();
        world_.attach_peer(buffer, draws_.one_in(2) ? Usage::Read : Usage::Write,
                           std::chrono::microseconds(draws_.below(10'000)));
        check(world_.differences, buffer->model, buffer->number, buffer->dma_buf(), false);
    } else if (drawn < 85) {
        const auto buffer = any_buffer();
        check(world_.differences, buffer->model, buffer->number, buffer->dma_buf(), false);
    } else if (drawn < 90) {
        world_.replace_buffer(draws_.below(shared_buffer_count));
    } else if (drawn < 94) {
        any_buffer()->toggle_second();
    } else if (drawn < 97) {
        export_any();
    } else {
        reset_pool();
    }
}

void StressThread::submit() {
    const size_t count = draws_.one_in(4) ? 2 + draws_.below(2) : 1;
    std::vector<StressRecording*> used;
    for (size_t i = 0; i < count; ++i) {
        StressRecording& recording = *recordings_[next_++ % recording_count];
        wait_for(recording);
        if (!recording.is_recorded || draws_.percent(70)) {
            recording.record(draws_);
        }
        used.push_back(&recording);
    }
    const size_t queue = draws_.below(world_.queues.size());
    auto timeline = draws_.one_in(25) ? std::make_shared<StressTimeline>(world_.context) : nullptr;
    const bool with_fence = draws_.one_in(2);
    {
        QueueOrder& order = world_.queues[queue];
        const std::lock_guard guard(order.lock);
        // Never two on one queue: Venus' export of a fence covers all that its queue has by then,
        // so the fence of the first would wait for the second, which the host has not signalled.
        if (!order.still_unresolved().empty()) {
            timeline.reset();
        } else if (timeline) {
            order.unresolved.push_back(timeline);
        }
        const auto submit = std::make_shared<StressSubmit>(order.still_unresolved());
        for (StressRecording* const recording : used) {
            recording->begin(submit);
        }
        FB_VK(call_driver(world_.context.queues[queue], used, timeline.get(),
                          with_fence ? used.front()->fence.handle : VK_NULL_HANDLE));
        submit->state.returned();
        for (StressRecording* const recording : used) {
            recording->queue = queue;
            recording->fence_in_submit = with_fence ? &used.front()->fence : nullptr;
        }
    }
    for (const StressRecording* const recording : used) {
        recording->check_released();
    }
    if (timeline) {
        world_.signal_later(timeline, std::chrono::microseconds(draws_.below(4'000)));
    }
}

VkResult StressThread::call_driver(VkQueue queue, const std::vector<StressRecording*>& used,
                                   const StressTimeline* wait, VkFence fence) {
    const uint64_t value = 1;
    std::vector<VkCommandBuffer> handles;
    for (const StressRecording* const recording : used) {
        handles.push_back(recording->handle());
    }
    if (draws_.one_in(2)) {
        const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        const VkTimelineSemaphoreSubmitInfo values{
            .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
            .waitSemaphoreValueCount = 1,
            .pWaitSemaphoreValues = &value,
        };
        std::vector<VkSubmitInfo> batches;
        for (const VkCommandBuffer& handle : handles) {
            batches.push_back({
                .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                .commandBufferCount = 1,
                .pCommandBuffers = &handle,
            });
        }
        if (wait != nullptr) {
            batches.front().pNext = &values;
            batches.front().waitSemaphoreCount = 1;
            batches.front().pWaitSemaphores = &wait->handle;
            batches.front().pWaitDstStageMask = &stage;
        }
        return vkQueueSubmit(queue, static_cast<uint32_t>(batches.size()), batches.data(), fence);
    }
    std::vector<VkCommandBufferSubmitInfo> infos;
    for (VkCommandBuffer handle : handles) {
        infos.push_back(
            {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = handle});
    }
    std::vector<VkSubmitInfo2> batches;
    for (const VkCommandBufferSubmitInfo& info : infos) {
        batches.push_back({
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
            .commandBufferInfoCount = 1,
            .pCommandBufferInfos = &info,
        });
    }
    const VkSemaphoreSubmitInfo point{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = wait != nullptr ? wait->handle : VK_NULL_HANDLE,
        .value = value,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    batches.front().waitSemaphoreInfoCount = wait != nullptr ? 1 : 0;
    batches.front().pWaitSemaphoreInfos = &point;
    return vkQueueSubmit2(queue, static_cast<uint32_t>(batches.size()), batches.data(), fence);
}

void StressThread::wait_for(StressRecording& recording) {
    if (recording.is_idle) {
        return;
    }
    if (const Fence* const own = recording.fence_in_submit; own != nullptr) {
        FB_VK(own->wait());
        own->reset();
    } else {
        // A submit of nothing says when all before it is done.
        {
            const std::lock_guard guard(world_.queues[recording.queue].lock);
            FB_VK(vkQueueSubmit(world_.context.queues[recording.queue], 0, nullptr,
                                recording.fence.handle));
        }
        FB_VK(recording.fence.wait());
        recording.fence.reset();
    }
    // All command buffers of one submit are done with it.
    const auto done = recording.submit;
    for (const auto& other : recordings_) {
        if (!other->is_idle && other->submit == done) {
            other->finish();
        }
    }
}

void StressThread::export_any() {
    const auto buffer = any_buffer();
    const auto memory = buffer->memory(draws_.one_in(2));
    const VkMemoryGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = memory->memory,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    int fd = -1;
    FB_VK(world_.context.function<PFN_vkGetMemoryFdKHR>("vkGetMemoryFdKHR")(world_.context.device,
                                                                            &info, &fd));
    const Fd another(fd);
    check(world_.differences, buffer->model, buffer->number, another.get(), false);
}

void StressThread::reset_pool() {
    for (const auto& recording : recordings_) {
        wait_for(*recording);
    }
    if (draws_.one_in(2)) {
        FB_VK(vkResetCommandPool(world_.context.device, pool_, 0));
        for (const auto& recording : recordings_) {
            recording->is_recorded = false;
        }
        return;
    }
    // Its command buffers go with it.
    const VkCommandPool old = pool_;
    make_pool();
    for (const auto& recording : recordings_) {
        recording->renew(pool_);
    }
    vkDestroyCommandPool(world_.context.device, old, nullptr);
}

} // namespace fencebridge::test
