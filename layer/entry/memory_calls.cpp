// Memory that can be shared, and what is bound to it.
#include "dispatch/chain.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

#include <cerrno>
#include <span>
#include <vector>

namespace fencebridge::entry {

namespace {

/// Records binds before the driver is called: recording may run out of memory, and after a
/// successful bind there is no way back.
template<typename BindInfo, typename Resource>
void record_binds(DeviceState& state, uint32_t count, const BindInfo* infos,
                  Resource BindInfo::* resource) {
    if (state.bridge == nullptr) {
        return;
    }
    for (uint32_t i = 0; i < count; ++i) {
        // A null memory means that a structure in the chain names what is bound (a swapchain's
        // image): no memory of ours.
        if (infos[i].memory != VK_NULL_HANDLE) {
            state.bridge->memories.bound(infos[i].*resource, infos[i].memory);
        }
    }
}

/// The binds with those to images of owned swapchains turned into binds to their memory: no driver
/// knows such a swapchain. Empty where there are none.
std::vector<VkBindImageMemoryInfo> bound_to_owned(const DeviceState& state,
                                                  std::span<const VkBindImageMemoryInfo> infos) {
    std::vector<VkBindImageMemoryInfo> changed;
    for (size_t i = 0; state.presentation && i < infos.size(); ++i) {
        const auto* of_swapchain = find_in_chain<VkBindImageMemorySwapchainInfoKHR>(
            infos[i].pNext, VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR);
        const auto ours =
            of_swapchain ? state.presentation->find(of_swapchain->swapchain) : nullptr;
        if (!ours) {
            continue;
        }
        if (changed.empty()) {
            changed.assign(infos.begin(), infos.end());
        }
        // Of the chain's other structures none says more about a device that is alone.
        changed[i].pNext = nullptr;
        changed[i].memory = ours->images()[of_swapchain->imageIndex].memory_handle();
        changed[i].memoryOffset = 0;
    }
    return changed;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice device,
                                              const VkMemoryAllocateInfo* pAllocateInfo,
                                              const VkAllocationCallbacks* pAllocator,
                                              VkDeviceMemory* pMemory) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const auto& next = state.device.next;
        if (state.bridge == nullptr) {
            return next.AllocateMemory(device, pAllocateInfo, pAllocator, pMemory);
        }
        // On success the driver owns the application's descriptor: take our own before.
        const int imported_fd = imported_dma_buf_fd(*pAllocateInfo);
        std::shared_ptr<DmaBuf> imported;
        if (imported_fd >= 0) {
            imported = DmaBuf::of(imported_fd);
            if (!imported) {
                log(LogLevel::Error,
                    "an imported dma-buf cannot be followed (%s): its hand-offs "
                    "are not bridged",
                    error_text(errno));
            }
        }
        const VkResult result = next.AllocateMemory(device, pAllocateInfo, pAllocator, pMemory);
        if (result != VK_SUCCESS) {
            return result;
        }
        record_or_destroy(
            [&] {
                state.bridge->memories.allocated(*pAllocateInfo, *pMemory, std::move(imported));
            },
            [&] { next.FreeMemory(device, *pMemory, pAllocator); });
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL FreeMemory(VkDevice device, VkDeviceMemory memory,
                                      const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->freed(memory);
    }
    state.device.next.FreeMemory(device, memory, pAllocator);
}

VKAPI_ATTR VkResult VKAPI_CALL GetMemoryFdKHR(VkDevice device,
                                              const VkMemoryGetFdInfoKHR* pGetFdInfo, int* pFd) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const VkResult result = state.device.next.GetMemoryFdKHR(device, pGetFdInfo, pFd);
        if (result == VK_SUCCESS && state.bridge != nullptr &&
            pGetFdInfo->handleType == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) {
            state.bridge->memories.exported(pGetFdInfo->memory, *pFd);
        }
        return result;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory(VkDevice device, VkImage image,
                                               VkDeviceMemory memory, VkDeviceSize memoryOffset) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        if (state.bridge != nullptr) {
            state.bridge->memories.bound(image, memory);
        }
        return state.device.next.BindImageMemory(device, image, memory, memoryOffset);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory2(VkDevice device, uint32_t bindInfoCount,
                                                const VkBindImageMemoryInfo* pBindInfos) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        record_binds(state, bindInfoCount, pBindInfos, &VkBindImageMemoryInfo::image);
        const std::vector<VkBindImageMemoryInfo> to_ours =
            bound_to_owned(state, {pBindInfos, bindInfoCount});
        return state.device.next.BindImageMemory2(device, bindInfoCount,
                                                  to_ours.empty() ? pBindInfos : to_ours.data());
    });
}

VKAPI_ATTR VkResult VKAPI_CALL BindImageMemory2KHR(VkDevice device, uint32_t bindInfoCount,
                                                   const VkBindImageMemoryInfo* pBindInfos) {
    return BindImageMemory2(device, bindInfoCount, pBindInfos);
}

VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory(VkDevice device, VkBuffer buffer,
                                                VkDeviceMemory memory, VkDeviceSize memoryOffset) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        if (state.bridge != nullptr) {
            state.bridge->memories.bound(buffer, memory);
        }
        return state.device.next.BindBufferMemory(device, buffer, memory, memoryOffset);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory2(VkDevice device, uint32_t bindInfoCount,
                                                 const VkBindBufferMemoryInfo* pBindInfos) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        record_binds(state, bindInfoCount, pBindInfos, &VkBindBufferMemoryInfo::buffer);
        return state.device.next.BindBufferMemory2(device, bindInfoCount, pBindInfos);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL BindBufferMemory2KHR(VkDevice device, uint32_t bindInfoCount,
                                                    const VkBindBufferMemoryInfo* pBindInfos) {
    return BindBufferMemory2(device, bindInfoCount, pBindInfos);
}

VKAPI_ATTR VkDeviceAddress VKAPI_CALL
GetBufferDeviceAddress(VkDevice device, const VkBufferDeviceAddressInfo* pInfo) {
    DeviceState& state = device_of(device);
    const VkDeviceAddress address = state.device.next.GetBufferDeviceAddress(device, pInfo);
    if (state.bridge != nullptr) {
        guarded_void("a buffer's address is not followed",
                     [&] { state.bridge->addressed(pInfo->buffer, address); });
    }
    return address;
}

VKAPI_ATTR VkDeviceAddress VKAPI_CALL
GetBufferDeviceAddressKHR(VkDevice device, const VkBufferDeviceAddressInfo* pInfo) {
    return GetBufferDeviceAddress(device, pInfo);
}

VKAPI_ATTR VkDeviceAddress VKAPI_CALL
GetBufferDeviceAddressEXT(VkDevice device, const VkBufferDeviceAddressInfo* pInfo) {
    return GetBufferDeviceAddress(device, pInfo);
}

VKAPI_ATTR void VKAPI_CALL DestroyImage(VkDevice device, VkImage image,
                                        const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->destroyed(image);
    }
    state.device.next.DestroyImage(device, image, pAllocator);
}

VKAPI_ATTR void VKAPI_CALL DestroyBuffer(VkDevice device, VkBuffer buffer,
                                         const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->destroyed(buffer);
    }
    state.device.next.DestroyBuffer(device, buffer, pAllocator);
}

} // namespace fencebridge::entry
