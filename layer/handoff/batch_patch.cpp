#include "handoff/batch_patch.hpp"

#include "dispatch/chain.hpp"

#include <algorithm>

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

/// The values beside `count` semaphores, and the one of ours behind them. A binary semaphore's is
/// ignored, but the counts must agree with the batch's (VUID-VkSubmitInfo-pNext-03240, -03241). An
/// empty array says that there are no timelines: it is filled where ours is one.
void grow_values(uint32_t& value_count, const uint64_t*& values, uint32_t count,
                 const SemaphorePoint& ours, Arena& arena) {
    if (!ours || (value_count == 0 && ours.value == 0)) {
        return;
    }
    uint64_t* const copied = arena.make<uint64_t>(size_t{count} + 1);
    std::copy_n(values, std::min(count, value_count), copied);
    copied[count] = ours.value;
    values = copied;
    value_count = count + 1;
}

void grow(VkTimelineSemaphoreSubmitInfo& info, const VkSubmitInfo& batch,
          const SemaphorePoint& wait, const SemaphorePoint& signal, Arena& arena) {
    grow_values(info.waitSemaphoreValueCount, info.pWaitSemaphoreValues, batch.waitSemaphoreCount,
                wait, arena);
    grow_values(info.signalSemaphoreValueCount, info.pSignalSemaphoreValues,
                batch.signalSemaphoreCount, signal, arena);
}

/// Ours are waited for and signalled on device 0 (VUID-VkDeviceGroupSubmitInfo-
/// waitSemaphoreCount-00082, -signalSemaphoreCount-00084).
void grow(VkDeviceGroupSubmitInfo& info, const SemaphorePoint& wait, const SemaphorePoint& signal,
          Arena& arena) {
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

/// Copies the batch's chain up to and including `last`, growing what must grow.
const void* grown_chain(const VkSubmitInfo& batch, const VkBaseInStructure* last,
                        const SemaphorePoint& wait, const SemaphorePoint& signal, Arena& arena) {
    const auto allocate = [&](size_t size) { return arena.make<std::byte>(size); };
    const auto grow_one = [&](VkBaseOutStructure* copied, const VkBaseInStructure* /*original*/) {
        if (copied->sType == VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) {
            grow(*reinterpret_cast<VkTimelineSemaphoreSubmitInfo*>(copied), batch, wait, signal,
                 arena);
        } else if (copied->sType == VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO) {
            grow(*reinterpret_cast<VkDeviceGroupSubmitInfo*>(copied), wait, signal, arena);
        }
    };
    return copy_chain(batch.pNext, last, size_of, allocate, grow_one);
}

/// The application's semaphores plus one.
VkSemaphore* with_one_more(const VkSemaphore* semaphores, uint32_t count, const SemaphorePoint& one,
                           Arena& arena) {
    VkSemaphore* const copied = arena.copy(semaphores, count, 1);
    copied[count] = one.semaphore;
    return copied;
}

VkSemaphoreSubmitInfo* with_one_more(const VkSemaphoreSubmitInfo* semaphores, uint32_t count,
                                     const SemaphorePoint& one, Arena& arena) {
    VkSemaphoreSubmitInfo* const copied = arena.copy(semaphores, count, 1);
    copied[count] = {
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .semaphore = one.semaphore,
        .value = one.value,
        .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
    };
    return copied;
}

} // namespace

bool can_patch(const VkSubmitInfo& batch) {
    const VkBaseInStructure* const last = last_that_must_grow(batch.pNext);
    return last == nullptr || can_copy_chain(batch.pNext, last, size_of);
}

void patch(VkSubmitInfo& batch, const SemaphorePoint& wait, const SemaphorePoint& signal,
           Arena& arena) {
    const bool brings_timeline = wait.value != 0 || signal.value != 0;
    if (brings_timeline &&
        find_in_chain<VkTimelineSemaphoreSubmitInfo>(
            batch.pNext, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO) == nullptr) {
        // The application has no timelines in this batch: its arrays stay empty.
        auto* const values = arena.make<VkTimelineSemaphoreSubmitInfo>(1);
        values->sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
        values->pNext = batch.pNext;
        batch.pNext = values;
    }
    if (const VkBaseInStructure* const last = last_that_must_grow(batch.pNext)) {
        batch.pNext = grown_chain(batch, last, wait, signal, arena);
    }
    if (wait) {
        batch.pWaitSemaphores =
            with_one_more(batch.pWaitSemaphores, batch.waitSemaphoreCount, wait, arena);
        VkPipelineStageFlags* const stages =
            arena.copy(batch.pWaitDstStageMask, batch.waitSemaphoreCount, 1);
        stages[batch.waitSemaphoreCount] = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        batch.pWaitDstStageMask = stages;
        ++batch.waitSemaphoreCount;
    }
    if (signal) {
        batch.pSignalSemaphores =
            with_one_more(batch.pSignalSemaphores, batch.signalSemaphoreCount, signal, arena);
        ++batch.signalSemaphoreCount;
    }
}

void patch(VkSubmitInfo2& batch, const SemaphorePoint& wait, const SemaphorePoint& signal,
           Arena& arena) {
    if (wait) {
        batch.pWaitSemaphoreInfos =
            with_one_more(batch.pWaitSemaphoreInfos, batch.waitSemaphoreInfoCount, wait, arena);
        ++batch.waitSemaphoreInfoCount;
    }
    if (signal) {
        batch.pSignalSemaphoreInfos = with_one_more(batch.pSignalSemaphoreInfos,
                                                    batch.signalSemaphoreInfoCount, signal, arena);
        ++batch.signalSemaphoreInfoCount;
    }
}

} // namespace fencebridge
