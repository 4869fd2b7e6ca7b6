#include "unit/fake_driver.hpp"

#include "unit/allocation_counter.hpp"
#include "vulkan_handles.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fencebridge::test {

namespace {

FakeDriver& driver_of(VkDevice device) {
    return *reinterpret_cast<FakeDriver*>(device);
}

VkResult next(std::deque<VkResult>& outcomes) {
    if (outcomes.empty()) {
        return VK_SUCCESS;
    }
    const VkResult result = outcomes.front();
    outcomes.pop_front();
    return result;
}

/// The handle types in an export structure, or none.
template<typename Export>
bool is_exportable(const void* chain, VkStructureType type, VkFlags handle_type) {
    const auto* item = static_cast<const VkBaseInStructure*>(chain);
    return item != nullptr && item->sType == type &&
           reinterpret_cast<const Export*>(item)->handleTypes == handle_type;
}

} // namespace

/// The entry points: each locks, records, checks and answers.
struct FakeDriver::Functions {
    static VKAPI_ATTR VkResult VKAPI_CALL create_semaphore(VkDevice device,
                                                           const VkSemaphoreCreateInfo* info,
                                                           const VkAllocationCallbacks*,
                                                           VkSemaphore* semaphore) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("CreateSemaphore");
        const VkResult result = next(self.outcomes.create_semaphore);
        if (result == VK_SUCCESS) {
            *semaphore = self.new_handle<VkSemaphore>();
            self.semaphores_[*semaphore].exportable = is_exportable<VkExportSemaphoreCreateInfo>(
                info->pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
                VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);
            const auto* type = static_cast<const VkSemaphoreTypeCreateInfo*>(info->pNext);
            self.semaphores_[*semaphore].timeline =
                type != nullptr && type->sType == VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
        }
        return result;
    }

    static VKAPI_ATTR void VKAPI_CALL destroy_semaphore(VkDevice device, VkSemaphore semaphore,
                                                        const VkAllocationCallbacks*) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("DestroySemaphore");
        self.rule(self.semaphores_.erase(semaphore) == 1, "a semaphore destroyed twice");
    }

    static VKAPI_ATTR VkResult VKAPI_CALL get_semaphore_fd(VkDevice device,
                                                           const VkSemaphoreGetFdInfoKHR* info,
                                                           int* fd) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("GetSemaphoreFdKHR");
        Semaphore& semaphore = self.semaphores_.at(info->semaphore);
        self.rule(semaphore.exportable, "export of a semaphore that was not made for it");
        self.rule(semaphore.signalled, "export of a semaphore without a signal pending");
        const VkResult result = next(self.outcomes.get_semaphore_fd);
        if (result == VK_SUCCESS) {
            semaphore.signalled = false;
            *fd = self.make_sync_file();
        }
        return result;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL
    import_semaphore_fd(VkDevice device, const VkImportSemaphoreFdInfoKHR* info) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("ImportSemaphoreFdKHR");
        Semaphore& semaphore = self.semaphores_.at(info->semaphore);
        self.rule(info->flags == VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
                  "SYNC_FD imports are temporary");
        self.rule(!semaphore.imported,
                  "import into a semaphore whose payload nobody has waited for");
        const VkResult result = next(self.outcomes.import_semaphore_fd);
        if (result == VK_SUCCESS) {
            semaphore.imported = true;
            ::close(info->fd);
        }
        return result;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL create_fence(VkDevice device,
                                                       const VkFenceCreateInfo* info,
                                                       const VkAllocationCallbacks*,
                                                       VkFence* fence) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("CreateFence");
        const VkResult result = next(self.outcomes.create_fence);
        if (result == VK_SUCCESS) {
            *fence = self.new_handle<VkFence>();
            self.fences_[*fence].exportable = is_exportable<VkExportFenceCreateInfo>(
                info->pNext, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT);
        }
        return result;
    }

    static VKAPI_ATTR void VKAPI_CALL destroy_fence(VkDevice device, VkFence fence,
                                                    const VkAllocationCallbacks*) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("DestroyFence");
        self.rule(self.fences_.erase(fence) == 1, "a fence destroyed twice");
    }

    static VKAPI_ATTR VkResult VKAPI_CALL get_fence_fd(VkDevice device,
                                                       const VkFenceGetFdInfoKHR* info, int* fd) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("GetFenceFdKHR");
        Fence& fence = self.fences_.at(info->fence);
        self.rule(fence.exportable, "export of a fence that was not made for it");
        self.rule(fence.signalled, "export of a fence without a signal pending");
        const VkResult result = next(self.outcomes.get_fence_fd);
        if (result == VK_SUCCESS) {
            fence.signalled = false;
            *fd = self.make_sync_file();
        }
        return result;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL import_fence_fd(VkDevice device,
                                                          const VkImportFenceFdInfoKHR* info) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("ImportFenceFdKHR");
        self.rule(info->flags == VK_FENCE_IMPORT_TEMPORARY_BIT, "SYNC_FD imports are temporary");
        const VkResult result = next(self.outcomes.import_fence_fd);
        if (result == VK_SUCCESS) {
            self.fences_.at(info->fence).signalled = true;
            self.fence_imports.emplace_back(info->fence, info->fd == -1);
            if (info->fd != -1) {
                ::close(info->fd);
            }
        }
        return result;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL reset_fences(VkDevice device, uint32_t count,
                                                       const VkFence* fences) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("ResetFences");
        for (const VkFence fence : std::span(fences, count)) {
            self.fences_.at(fence).signalled = false;
        }
        return VK_SUCCESS;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL wait_for_fences(VkDevice device, uint32_t count,
                                                          const VkFence* fences, VkBool32,
                                                          uint64_t) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("WaitForFences");
        for (const VkFence fence : std::span(fences, count)) {
            self.rule(self.fences_.at(fence).signalled, "a wait that would never end");
        }
        return next(self.outcomes.wait_for_fences);
    }

    static VKAPI_ATTR VkResult VKAPI_CALL queue_wait_idle(VkQueue queue) {
        const AllocationPause pause;
        FakeDriver& self = *reinterpret_cast<Queue*>(queue)->driver;
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("QueueWaitIdle");
        return next(self.outcomes.queue_wait_idle);
    }

    static VKAPI_ATTR VkResult VKAPI_CALL queue_submit(VkQueue queue, uint32_t count,
                                                       const VkSubmitInfo* infos, VkFence fence) {
        const AllocationPause pause;
        Submit submit{.queue = queue, .structures = infos, .batches = {}, .fence = fence};
        for (const VkSubmitInfo& info : std::span(infos, count)) {
            submit.batches.push_back({
                .waits = {info.pWaitSemaphores, info.pWaitSemaphores + info.waitSemaphoreCount},
                .signals = {info.pSignalSemaphores,
                            info.pSignalSemaphores + info.signalSemaphoreCount},
                .wait_values = {},
                .signal_values = {},
                .command_buffers = {info.pCommandBuffers,
                                    info.pCommandBuffers + info.commandBufferCount},
            });
            const auto* values = static_cast<const VkTimelineSemaphoreSubmitInfo*>(info.pNext);
            if (values != nullptr &&
                values->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) {
                Batch& batch = submit.batches.back();
                batch.wait_values = {values->pWaitSemaphoreValues,
                                     values->pWaitSemaphoreValues +
                                         values->waitSemaphoreValueCount};
                batch.signal_values = {values->pSignalSemaphoreValues,
                                       values->pSignalSemaphoreValues +
                                           values->signalSemaphoreValueCount};
            }
        }
        return reinterpret_cast<Queue*>(queue)->driver->submit(queue, std::move(submit));
    }

    static VKAPI_ATTR VkResult VKAPI_CALL queue_submit2(VkQueue queue, uint32_t count,
                                                        const VkSubmitInfo2* infos, VkFence fence) {
        const AllocationPause pause;
        Submit submit{.queue = queue,
                      .structures = infos,
                      .batches = {},
                      .fence = fence,
                      .second_generation = true};
        for (const VkSubmitInfo2& info : std::span(infos, count)) {
            Batch& batch = submit.batches.emplace_back();
            for (uint32_t i = 0; i < info.waitSemaphoreInfoCount; ++i) {
                batch.waits.push_back(info.pWaitSemaphoreInfos[i].semaphore);
                batch.wait_values.push_back(info.pWaitSemaphoreInfos[i].value);
            }
            for (uint32_t i = 0; i < info.signalSemaphoreInfoCount; ++i) {
                batch.signals.push_back(info.pSignalSemaphoreInfos[i].semaphore);
                batch.signal_values.push_back(info.pSignalSemaphoreInfos[i].value);
            }
            for (uint32_t i = 0; i < info.commandBufferInfoCount; ++i) {
                batch.command_buffers.push_back(info.pCommandBufferInfos[i].commandBuffer);
            }
        }
        return reinterpret_cast<Queue*>(queue)->driver->submit(queue, std::move(submit));
    }

    static VKAPI_ATTR VkResult VKAPI_CALL get_counter(VkDevice device, VkSemaphore semaphore,
                                                      uint64_t* value) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        *value = self.counters[semaphore];
        return VK_SUCCESS;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL wait_semaphores(VkDevice device,
                                                          const VkSemaphoreWaitInfo* info,
                                                          uint64_t timeout) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        std::unique_lock lock(self.mutex_);
        self.calls.emplace_back("WaitSemaphores");
        const auto reached = [&] {
            return self.counters[info->pSemaphores[0]] >= info->pValues[0];
        };
        const auto longest =
            std::chrono::nanoseconds(std::min<uint64_t>(timeout, uint64_t{60} * 1'000'000'000));
        return self.signalled_.wait_for(lock, longest, reached) ? VK_SUCCESS : VK_TIMEOUT;
    }

    static VKAPI_ATTR VkResult VKAPI_CALL signal_semaphore(VkDevice device,
                                                           const VkSemaphoreSignalInfo* info) {
        const AllocationPause pause;
        FakeDriver& self = driver_of(device);
        const std::lock_guard guard(self.mutex_);
        self.calls.emplace_back("SignalSemaphore");
        uint64_t& counter = self.counters[info->semaphore];
        self.rule(info->value > counter, "a timeline signalled backwards");
        counter = info->value;
        self.signalled_.notify_all();
        return VK_SUCCESS;
    }
};

FakeDriver::FakeDriver() : make_sync_file([] { return ::eventfd(1, EFD_CLOEXEC); }) {
    for (Queue& queue : queues_) {
        queue.driver = this;
    }
    table.CreateSemaphore = Functions::create_semaphore;
    table.DestroySemaphore = Functions::destroy_semaphore;
    table.GetSemaphoreFdKHR = Functions::get_semaphore_fd;
    table.ImportSemaphoreFdKHR = Functions::import_semaphore_fd;
    table.CreateFence = Functions::create_fence;
    table.DestroyFence = Functions::destroy_fence;
    table.GetFenceFdKHR = Functions::get_fence_fd;
    table.ImportFenceFdKHR = Functions::import_fence_fd;
    table.ResetFences = Functions::reset_fences;
    table.WaitForFences = Functions::wait_for_fences;
    table.QueueWaitIdle = Functions::queue_wait_idle;
    table.QueueSubmit = Functions::queue_submit;
    table.QueueSubmit2 = Functions::queue_submit2;
    table.GetSemaphoreCounterValue = Functions::get_counter;
    table.WaitSemaphores = Functions::wait_semaphores;
    table.SignalSemaphore = Functions::signal_semaphore;
}

FakeDriver::~FakeDriver() = default;

VkDevice FakeDriver::device() {
    return reinterpret_cast<VkDevice>(this);
}

VkQueue FakeDriver::queue(size_t index) {
    return reinterpret_cast<VkQueue>(&queues_[index]); // NOLINT(*-constant-array-index)
}

size_t FakeDriver::count(const std::string& call) const {
    const std::lock_guard guard(mutex_);
    return static_cast<size_t>(std::count(calls.begin(), calls.end(), call));
}

VkFence FakeDriver::application_fence() {
    const std::lock_guard guard(mutex_);
    const VkFence fence = new_handle<VkFence>();
    fences_[fence] = {};
    ++application_objects_;
    return fence;
}

VkSemaphore FakeDriver::application_semaphore() {
    const std::lock_guard guard(mutex_);
    const auto semaphore = new_handle<VkSemaphore>();
    semaphores_[semaphore] = {.exportable = true, .signalled = true};
    ++application_objects_;
    return semaphore;
}

bool FakeDriver::can_be_waited_for(VkSemaphore semaphore) const {
    const Semaphore& one = semaphores_.at(semaphore);
    return one.signalled || one.imported;
}

bool FakeDriver::will_signal(VkFence fence) const {
    return fences_.at(fence).signalled;
}

void FakeDriver::finish_timelines() {
    const std::lock_guard guard(mutex_);
    for (const auto& [semaphore, value] : submitted_signals_) {
        counters[semaphore] = std::max(counters[semaphore], value);
    }
    signalled_.notify_all();
}

uint64_t FakeDriver::counter(VkSemaphore semaphore) {
    const std::lock_guard guard(mutex_);
    return counters[semaphore];
}

VkResult FakeDriver::submit(VkQueue, Submit submit) {
    if (on_submit) {
        on_submit();
    }
    const std::lock_guard guard(mutex_);
    calls.emplace_back(submit.second_generation ? "QueueSubmit2" : "QueueSubmit");
    const VkResult result = next(outcomes.queue_submit);
    if (result == VK_SUCCESS) {
        for (const Batch& batch : submit.batches) {
            for (const VkSemaphore wait : batch.waits) {
                // The application's own are not known here.
                if (const auto ours = semaphores_.find(wait); ours != semaphores_.end()) {
                    if (ours->second.timeline) {
                        rule(batch.wait_values.size() == batch.waits.size(),
                             "a timeline among the waits without a value");
                        continue;
                    }
                    rule(ours->second.imported || ours->second.signalled,
                         "a wait for a semaphore that nobody signals");
                    ours->second.imported = false;
                    ours->second.signalled = false;
                }
            }
            for (size_t i = 0; i < batch.signals.size(); ++i) {
                const VkSemaphore signal = batch.signals[i];
                if (const auto ours = semaphores_.find(signal); ours != semaphores_.end()) {
                    if (ours->second.timeline) {
                        const bool has_value = batch.signal_values.size() == batch.signals.size();
                        rule(has_value, "a timeline among the signals without a value");
                        if (has_value) {
                            submitted_signals_[signal] = batch.signal_values[i];
                        }
                        continue;
                    }
                    rule(!ours->second.signalled, "a second signal on a binary semaphore");
                    ours->second.signalled = true;
                }
            }
        }
        if (submit.fence != VK_NULL_HANDLE) {
            Fence& fence = fences_.at(submit.fence);
            rule(!fence.signalled, "a submit with a fence that is in use");
            fence.signalled = true;
        }
    }
    submits.push_back(std::move(submit));
    return result;
}

void FakeDriver::rule(bool kept, const char* text) {
    if (!kept) {
        broken_rules.emplace_back(text);
    }
}

template<typename Handle>
Handle FakeDriver::new_handle() {
    last_handle_ += 0x10;
    return handle_of_number<Handle>(last_handle_);
}

} // namespace fencebridge::test
