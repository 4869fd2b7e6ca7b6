#include "handoff/batch_patch.hpp"

namespace fencebridge {

namespace {

/// Sizes of what may stand in a VkSubmitInfo's chain in front of a structure that must grow. 0: not
/// known to us, so it cannot be copied.
size_t size_of(VkStructureType type) {
    switch (type) {
    case VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO:
        return sizeof(VkTimelineSemaphoreSubmitInfo);
    case VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO:
        return sizeof(VkDeviceGroupSubmitInfo);
    case VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO:
        return sizeof(VkProtectedSubmitInfo);
    case VK_STRUCTURE_TYPE_PERFORMANCE_QUERY_SUBMIT_INFO_KHR:
        return sizeof(VkPerformanceQuerySubmitInfoKHR);
    case VK_STRUCTURE_TYPE_FRAME_BOUNDARY_EXT:
        return sizeof(VkFrameBoundaryEXT);
    default:
        return 0;
    }
}

bool must_grow(VkStructureType type) {
    return type == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO ||
           type == VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO;
}

const VkBaseInStructure* last_that_must_grow(const void* chain) {
    const VkBaseInStructure* last = nullptr;
    for (const auto* item = static_cast<const VkBaseInStructure*>(chain); item != nullptr;
         item = item->pNext) {
        if (must_grow(item->sType)) {
            last = item;
        }
    }
    return last;
}

/// A binary semaphore has no value: 0 is ignored, but the counts must agree with the batch's
/// (VUID-VkSubmitInfo-pNext-03240, -03241). An empty array says that there are no timelines.
void grow(VkTimelineSemaphoreSubmitInfo& info, bool wait, bool signal, Arena& arena) {
    if (wait && info.waitSemaphoreValueCount != 0) {
        info.pWaitSemaphoreValues =
            arena.copy(info.pWaitSemaphoreValues, info.waitSemaphoreValueCount, 1);
        ++info.waitSemaphoreValueCount;
    }
    if (signal && info.signalSemaphoreValueCount != 0) {
        info.pSignalSemaphoreValues =
            arena.copy(info.pSignalSemaphoreValues, info.signalSemaphoreValueCount, 1);
        ++info.signalSemaphoreValueCount;
    }
}

/// Ours are waited for and signalled on device 0 (VUID-VkDeviceGroupSubmitInfo-
/// waitSemaphoreCount-00082, -signalSemaphoreCount-00084).
void grow(VkDeviceGroupSubmitInfo& info, bool wait, bool signal, Arena& arena) {
    if (wait) {
        info.pWaitSemaphoreDeviceIndices =
            arena.copy(info.pWaitSemaphoreDeviceIndices, info.waitSemaphoreCount, 1);
        ++info.waitSemaphoreCount;
    }
    if (signal) {
        info.pSignalSemaphoreDeviceIndices =
            arena.copy(info.pSignalSemaphoreDeviceIndices, info.signalSemaphoreCount, 1);
        ++info.signalSemaphoreCount;
    }
}

/// Copies the chain up to and including `last`, growing what must grow; the rest stays as it is.
const void* copy_chain(const void* chain, const VkBaseInStructure* last, bool wait, bool signal,
                       Arena& arena) {
    const void* head = nullptr;
    VkBaseOutStructure* previous = nullptr;
    for (const auto* item = static_cast<const VkBaseInStructure*>(chain);; item = item->pNext) {
        const auto* bytes = reinterpret_cast<const std::byte*>(item);
        auto* copied =
            reinterpret_cast<VkBaseOutStructure*>(arena.copy(bytes, size_of(item->sType), 0));
        if (previous == nullptr) {
            head = copied;
        } else {
            previous->pNext = copied;
        }
        previous = copied;
        if (item->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) {
            grow(*reinterpret_cast<VkTimelineSemaphoreSubmitInfo*>(copied), wait, signal, arena);
        } else if (item->sType == VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO) {
            grow(*reinterpret_cast<VkDeviceGroupSubmitInfo*>(copied), wait, signal, arena);
        }
        if (item == last) {
            return head;
        }
    }
}

/// The application's semaphores plus one.
VkSemaphore* with_one_more(const VkSemaphore* semaphores, uint32_t count, VkSemaphore one,
                           Arena& arena) {
    VkSemaphore* const copied = arena.copy(semaphores, count, 1);
    copied[count] = one;
    return copied;
}

VkSemaphoreSubmitInfo* with_one_more(const VkSemaphoreSubmitInfo* semaphores, uint32_t count,
                                     VkSemaphore one, Arena& arena) {
    VkSemaphoreSubmitInfo* const copied = arena.copy(semaphores, count, 1);
    copied[count] = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = one,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    return copied;
}

} // namespace

bool can_patch(const VkSubmitInfo& batch) {
    const VkBaseInStructure* const last = last_that_must_grow(batch.pNext);
    if (last == nullptr) {
        return true;
    }
    for (const auto* item = static_cast<const VkBaseInStructure*>(batch.pNext);;
         item = item->pNext) {
        if (size_of(item->sType) == 0) {
            return false;
        }
        if (item == last) {
            return true;
        }
    }
}

void patch(VkSubmitInfo& batch, VkSemaphore wait, VkSemaphore signal, Arena& arena) {
    const bool has_wait = wait != VK_NULL_HANDLE;
    const bool has_signal = signal != VK_NULL_HANDLE;
    if (const VkBaseInStructure* const last = last_that_must_grow(batch.pNext)) {
        batch.pNext = copy_chain(batch.pNext, last, has_wait, has_signal, arena);
    }
    if (has_wait) {
        batch.pWaitSemaphores =
            with_one_more(batch.pWaitSemaphores, batch.waitSemaphoreCount, wait, arena);
        VkPipelineStageFlags* const stages =
            arena.copy(batch.pWaitDstStageMask, batch.waitSemaphoreCount, 1);
        stages[batch.waitSemaphoreCount] = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        batch.pWaitDstStageMask = stages;
        ++batch.waitSemaphoreCount;
    }
    if (has_signal) {
        batch.pSignalSemaphores =
            with_one_more(batch.pSignalSemaphores, batch.signalSemaphoreCount, signal, arena);
        ++batch.signalSemaphoreCount;
    }
}

void patch(VkSubmitInfo2& batch, VkSemaphore wait, VkSemaphore signal, Arena& arena) {
    if (wait != VK_NULL_HANDLE) {
        batch.pWaitSemaphoreInfos =
            with_one_more(batch.pWaitSemaphoreInfos, batch.waitSemaphoreInfoCount, wait, arena);
        ++batch.waitSemaphoreInfoCount;
    }
    if (signal != VK_NULL_HANDLE) {
        batch.pSignalSemaphoreInfos = with_one_more(batch.pSignalSemaphoreInfos,
                                                    batch.signalSemaphoreInfoCount, signal, arena);
        ++batch.signalSemaphoreInfoCount;
    }
}

} // namespace fencebridge
