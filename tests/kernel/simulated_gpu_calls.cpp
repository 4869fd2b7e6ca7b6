// The entry points of the simulated GPU.
#include "kernel/simulated_gpu_objects.hpp"
#include "vulkan_handles.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace fencebridge::test {

namespace {

/// The handle types in an export structure, or none.
template<typename Export>
bool is_exportable(const void* chain, VkStructureType type, VkFlags handle_type) {
    const auto* item = static_cast<const VkBaseInStructure*>(chain);
    return item != nullptr && item->sType == type &&
           reinterpret_cast<const Export*>(item)->handleTypes == handle_type;
}

const VkTimelineSemaphoreSubmitInfo* values_of(const VkSubmitInfo& batch) {
    for (const auto* item = static_cast<const VkBaseInStructure*>(batch.pNext); item != nullptr;
         item = item->pNext) {
        if (item->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) {
            return reinterpret_cast<const VkTimelineSemaphoreSubmitInfo*>(item);
        }
    }
    return nullptr;
}

} // namespace

void SimulatedGpu::Functions::fill(VkuDeviceDispatchTable& table) {
    table.CreateSemaphore = [](VkDevice device, const VkSemaphoreCreateInfo* info,
                               const VkAllocationCallbacks*, VkSemaphore* semaphore) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        *semaphore = self.new_handle<VkSemaphore>();
        self.semaphores_[*semaphore].exportable = is_exportable<VkExportSemaphoreCreateInfo>(
            info->pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
            VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT);
        return VK_SUCCESS;
    };
    table.DestroySemaphore = [](VkDevice device, VkSemaphore semaphore,
                                const VkAllocationCallbacks*) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        self.rule(!self.semaphores_.at(semaphore).is_in_use(), "a semaphore destroyed in use");
        self.semaphores_.erase(semaphore);
    };
    table.GetSemaphoreFdKHR = [](VkDevice device, const VkSemaphoreGetFdInfoKHR* info, int* fd) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        Semaphore& semaphore = self.semaphores_.at(info->semaphore);
        self.rule(semaphore.exportable && semaphore.payload != nullptr,
                  "export of a semaphore without a signal");
        *fd = self.export_payload(semaphore.payload);
        return VK_SUCCESS;
    };
    table.ImportSemaphoreFdKHR = [](VkDevice device, const VkImportSemaphoreFdInfoKHR* info) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        Semaphore& semaphore = self.semaphores_.at(info->semaphore);
        self.rule(info->flags == VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
                  "SYNC_FD imports are temporary");
        self.rule(!semaphore.imported, "import over a payload that nobody has waited for");
        self.rule(!semaphore.is_in_use(), "import into a semaphore in use");
        semaphore.imported = Fd(info->fd);
        return VK_SUCCESS;
    };
    table.CreateFence = [](VkDevice device, const VkFenceCreateInfo* info,
                           const VkAllocationCallbacks*, VkFence* fence) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        *fence = self.new_handle<VkFence>();
        FenceObject& object = self.fence_objects_[*fence];
        object.is_layers = true;
        object.exportable = is_exportable<VkExportFenceCreateInfo>(
            info->pNext, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
            VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT);
        return VK_SUCCESS;
    };
    table.DestroyFence = [](VkDevice device, VkFence fence, const VkAllocationCallbacks*) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        self.rule(self.fence_objects_.erase(fence) == 1, "a fence destroyed twice");
    };
    table.GetFenceFdKHR = [](VkDevice device, const VkFenceGetFdInfoKHR* info, int* fd) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        FenceObject& fence = self.fence_objects_.at(info->fence);
        self.rule(fence.exportable && fence.payload != nullptr,
                  "export of a fence without a signal");
        *fd = self.export_payload(fence.payload);
        return VK_SUCCESS;
    };
    table.ImportFenceFdKHR = [](VkDevice device, const VkImportFenceFdInfoKHR* info) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        FenceObject& fence = self.fence_objects_.at(info->fence);
        self.rule(info->flags == VK_FENCE_IMPORT_TEMPORARY_BIT, "SYNC_FD imports are temporary");
        fence.has_import = true;
        fence.imported = Fd(info->fd);
        return VK_SUCCESS;
    };
    table.GetSemaphoreCounterValue = [](VkDevice device, VkSemaphore semaphore, uint64_t* value) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        *value = *self.semaphores_.at(semaphore).counter;
        return VK_SUCCESS;
    };
    table.SignalSemaphore = [](VkDevice device, const VkSemaphoreSignalInfo* info) {
        SimulatedGpu& self = gpu(device);
        const std::lock_guard guard(self.mutex_);
        self.semaphores_.at(info->semaphore).counter = info->value;
        return VK_SUCCESS;
    };
    table.GetMemoryFdKHR = [](VkDevice, const VkMemoryGetFdInfoKHR* info, int* fd) {
        const auto* const memory = reinterpret_cast<const SimulatedMemory*>(
            static_cast<uintptr_t>(number_of(info->memory)));
        *fd = ::fcntl(memory->dma_buf, F_DUPFD_CLOEXEC, 3);
        return *fd >= 0 ? VK_SUCCESS : VK_ERROR_TOO_MANY_OBJECTS;
    };
    table.QueueSubmit = [](VkQueue queue, uint32_t count, const VkSubmitInfo* infos,
                           VkFence fence) {
        std::vector<Batch> batches(count);
        for (uint32_t i = 0; i < count; ++i) {
            const VkSubmitInfo& info = infos[i];
            const VkTimelineSemaphoreSubmitInfo* const values = values_of(info);
            for (uint32_t wait = 0; wait < info.waitSemaphoreCount; ++wait) {
                batches[i].waits.push_back(
                    {info.pWaitSemaphores[wait],
                     values != nullptr && wait < values->waitSemaphoreValueCount
                         ? values->pWaitSemaphoreValues[wait]
                         : 0});
            }
            for (uint32_t signal = 0; signal < info.signalSemaphoreCount; ++signal) {
                batches[i].signals.push_back(
                    {info.pSignalSemaphores[signal],
                     values != nullptr && signal < values->signalSemaphoreValueCount
                         ? values->pSignalSemaphoreValues[signal]
                         : 0});
            }
        }
        Queue& on = *reinterpret_cast<Queue*>(queue);
        return on.gpu->submit(on, std::move(batches), fence);
    };
    table.QueueSubmit2 = [](VkQueue queue, uint32_t count, const VkSubmitInfo2* infos,
                            VkFence fence) {
        std::vector<Batch> batches(count);
        for (uint32_t i = 0; i < count; ++i) {
            for (const auto& wait :
                 std::span(infos[i].pWaitSemaphoreInfos, infos[i].waitSemaphoreInfoCount)) {
                batches[i].waits.push_back({wait.semaphore, wait.value});
            }
            for (const auto& signal :
                 std::span(infos[i].pSignalSemaphoreInfos, infos[i].signalSemaphoreInfoCount)) {
                batches[i].signals.push_back({signal.semaphore, signal.value});
            }
        }
        Queue& on = *reinterpret_cast<Queue*>(queue);
        return on.gpu->submit(on, std::move(batches), fence);
    };
}

} // namespace fencebridge::test
