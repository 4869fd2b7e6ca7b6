// Queues, their submits, and the objects that order submits.
#include "dispatch/chain.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

namespace {

/// A queue's submitter, or null on a device that shares nothing. Queues are known by handle from
/// vkGetDeviceQueue on; one that another layer got past us is found by its dispatch key.
QueueSubmitter* submitter_of(VkQueue queue) {
    if (QueueSubmitter* const known = states().queues.find(queue)) {
        return known;
    }
    DeviceState& state = device_of(queue);
    if (state.bridge == nullptr) {
        return nullptr;
    }
    QueueSubmitter& submitter = state.bridge->queue(queue);
    states().queues.insert(queue, &submitter);
    return &submitter;
}

void remember(DeviceState& state, VkQueue queue) {
    if (state.bridge != nullptr && queue != VK_NULL_HANDLE) {
        guarded_void("a queue is not followed yet",
                     [&] { states().queues.insert(queue, &state.bridge->queue(queue)); });
    }
}

/// A semaphore of the application's that may also be exported as SYNC_FD. What it exports itself
/// stays as it is.
VkResult create_exportable(const Device& device, const VkSemaphoreCreateInfo& info,
                           const VkAllocationCallbacks* allocator, VkSemaphore* semaphore) {
    if (find_in_chain<VkExportSemaphoreCreateInfo>(
            info.pNext, VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO) != nullptr) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    const VkExportSemaphoreCreateInfo exportable{
        .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
        .pNext = info.pNext,
        .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkSemaphoreCreateInfo ours = info;
    ours.pNext = &exportable;
    return device.next.CreateSemaphore(device.handle, &ours, allocator, semaphore);
}

} // namespace

// The queue's own dispatch pointer may not be set yet when a layer above asks this early: only the
// handle is used.
VKAPI_ATTR void VKAPI_CALL GetDeviceQueue(VkDevice device, uint32_t queueFamilyIndex,
                                          uint32_t queueIndex, VkQueue* pQueue) {
    DeviceState& state = device_of(device);
    state.device.next.GetDeviceQueue(device, queueFamilyIndex, queueIndex, pQueue);
    remember(state, *pQueue);
}

VKAPI_ATTR void VKAPI_CALL GetDeviceQueue2(VkDevice device, const VkDeviceQueueInfo2* pQueueInfo,
                                           VkQueue* pQueue) {
    DeviceState& state = device_of(device);
    state.device.next.GetDeviceQueue2(device, pQueueInfo, pQueue);
    remember(state, *pQueue);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t submitCount,
                                           const VkSubmitInfo* pSubmits, VkFence fence) {
    return guarded([&] {
        if (QueueSubmitter* const submitter = submitter_of(queue)) {
            return submitter->submit({pSubmits, submitCount}, fence);
        }
        return device_of(queue).device.next.QueueSubmit(queue, submitCount, pSubmits, fence);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t submitCount,
                                            const VkSubmitInfo2* pSubmits, VkFence fence) {
    return guarded([&] {
        if (QueueSubmitter* const submitter = submitter_of(queue)) {
            return submitter->submit2({pSubmits, submitCount}, fence);
        }
        return device_of(queue).device.next.QueueSubmit2(queue, submitCount, pSubmits, fence);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2KHR(VkQueue queue, uint32_t submitCount,
                                               const VkSubmitInfo2* pSubmits, VkFence fence) {
    return QueueSubmit2(queue, submitCount, pSubmits, fence);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueBindSparse(VkQueue queue, uint32_t bindInfoCount,
                                               const VkBindSparseInfo* pBindInfo, VkFence fence) {
    return guarded([&] {
        if (QueueSubmitter* const submitter = submitter_of(queue)) {
            return submitter->bind_sparse({pBindInfo, bindInfoCount}, fence);
        }
        return device_of(queue).device.next.QueueBindSparse(queue, bindInfoCount, pBindInfo, fence);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSemaphore(VkDevice device,
                                               const VkSemaphoreCreateInfo* pCreateInfo,
                                               const VkAllocationCallbacks* pAllocator,
                                               VkSemaphore* pSemaphore) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const auto* type = find_in_chain<VkSemaphoreTypeCreateInfo>(
            pCreateInfo->pNext, VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO);
        const bool is_timeline =
            type != nullptr && type->semaphoreType == VK_SEMAPHORE_TYPE_TIMELINE;
        const bool is_exportable =
            !is_timeline && state.device.exports_waits_of_presents &&
            create_exportable(state.device, *pCreateInfo, pAllocator, pSemaphore) == VK_SUCCESS;
        const VkResult result =
            is_exportable
                ? VK_SUCCESS
                : state.device.next.CreateSemaphore(device, pCreateInfo, pAllocator, pSemaphore);
        if (result != VK_SUCCESS || state.bridge == nullptr || !(is_timeline || is_exportable)) {
            return result;
        }
        record_or_destroy(
            [&] {
                if (is_timeline) {
                    state.bridge->timelines.created(*pSemaphore, type->initialValue);
                } else {
                    state.bridge->exportable_semaphores.insert(*pSemaphore, true);
                }
            },
            [&] { state.device.next.DestroySemaphore(device, *pSemaphore, pAllocator); });
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySemaphore(VkDevice device, VkSemaphore semaphore,
                                            const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        complete_all(state.bridge->timelines.destroyed(semaphore));
        state.bridge->exportable_semaphores.erase(semaphore);
    }
    state.device.next.DestroySemaphore(device, semaphore, pAllocator);
}

VKAPI_ATTR VkResult VKAPI_CALL SignalSemaphore(VkDevice device,
                                               const VkSemaphoreSignalInfo* pSignalInfo) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        if (state.bridge != nullptr) {
            state.bridge->timelines.host_signalling();
        }
        const VkResult result = state.device.next.SignalSemaphore(device, pSignalInfo);
        if (result != VK_SUCCESS && state.bridge != nullptr) {
            state.bridge->timelines.host_signal_failed();
        }
        if (result == VK_SUCCESS && state.bridge != nullptr) {
            complete_all(state.bridge->timelines.signalled_by_host(
                {pSignalInfo->semaphore, pSignalInfo->value}));
        }
        return result;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL SignalSemaphoreKHR(VkDevice device,
                                                  const VkSemaphoreSignalInfo* pSignalInfo) {
    return SignalSemaphore(device, pSignalInfo);
}

/// A payload for good may be another's, too: what the layer knows of the handle's own is over.
VKAPI_ATTR VkResult VKAPI_CALL
ImportSemaphoreFdKHR(VkDevice device, const VkImportSemaphoreFdInfoKHR* pImportSemaphoreFdInfo) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const VkResult result =
            state.device.next.ImportSemaphoreFdKHR(device, pImportSemaphoreFdInfo);
        if (result == VK_SUCCESS && state.bridge != nullptr &&
            (pImportSemaphoreFdInfo->flags & VK_SEMAPHORE_IMPORT_TEMPORARY_BIT) == 0) {
            state.bridge->timelines.payload_replaced(pImportSemaphoreFdInfo->semaphore);
            state.bridge->exportable_semaphores.erase(pImportSemaphoreFdInfo->semaphore);
        }
        return result;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL ImportFenceFdKHR(VkDevice device,
                                                const VkImportFenceFdInfoKHR* pImportFenceFdInfo) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const bool is_permanent = (pImportFenceFdInfo->flags & VK_FENCE_IMPORT_TEMPORARY_BIT) == 0;
        if (is_permanent && state.bridge != nullptr) {
            // Others may hold it: it has to be signalled itself. Before the call, which takes the
            // descriptor and may not fail for us afterwards.
            state.bridge->exportable_fences.insert(pImportFenceFdInfo->fence, true);
        }
        return state.device.next.ImportFenceFdKHR(device, pImportFenceFdInfo);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL CreateFence(VkDevice device, const VkFenceCreateInfo* pCreateInfo,
                                           const VkAllocationCallbacks* pAllocator,
                                           VkFence* pFence) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const VkResult result =
            state.device.next.CreateFence(device, pCreateInfo, pAllocator, pFence);
        const auto* exportable = find_in_chain<VkExportFenceCreateInfo>(
            pCreateInfo->pNext, VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO);
        if (result == VK_SUCCESS && state.bridge != nullptr && exportable != nullptr &&
            exportable->handleTypes != 0) {
            record_or_destroy([&] { state.bridge->exportable_fences.insert(*pFence, true); },
                              [&] { state.device.next.DestroyFence(device, *pFence, pAllocator); });
        }
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyFence(VkDevice device, VkFence fence,
                                        const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->exportable_fences.erase(fence);
    }
    state.device.next.DestroyFence(device, fence, pAllocator);
}

} // namespace fencebridge::entry
