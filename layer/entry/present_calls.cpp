// Surfaces, swapchains and presents.
#include "dispatch/chain.hpp"
#include "dispatch/give_out.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"
#include "present/headless_answers.hpp"
#include "present/wayland/surface.hpp"
#include "present/x11/client.hpp"
#include "present/x11/surface.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

namespace fencebridge::entry {

namespace {

/// The owned swapchain behind a handle, or null.
std::shared_ptr<Swapchain> owned(const DeviceState& state, VkSwapchainKHR swapchain) {
    return state.presentation ? state.presentation->find(swapchain) : nullptr;
}

/// A surface that the driver (or loader) has made becomes known to us.
template<typename MakeSurface>
VkResult known(VkResult made, VkInstance instance, VkSurfaceKHR surface,
               const VkAllocationCallbacks* allocator, MakeSurface&& make_surface) {
    if (made == VK_SUCCESS) {
        record_or_destroy(
            [&] { states().surfaces.insert(surface, std::forward<MakeSurface>(make_surface)()); },
            [&] { instance_of(instance).next.DestroySurfaceKHR(instance, surface, allocator); });
    }
    return made;
}

/// Of the next layer; null where it has none of this name.
template<typename Function>
Function next_function(VkInstance instance, const char* name) {
    return reinterpret_cast<Function>(
        instance_of(instance).next.GetInstanceProcAddr(instance, name));
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
EnumerateDeviceExtensionProperties(VkPhysicalDevice physicalDevice, const char* pLayerName,
                                   uint32_t* pPropertyCount, VkExtensionProperties* pProperties) {
    return guarded([&] {
        const Instance& instance = instance_of(physicalDevice);
        const auto next = instance.next.EnumerateDeviceExtensionProperties;
        if (pLayerName != nullptr || !may_own_swapchains(instance, physicalDevice)) {
            return next(physicalDevice, pLayerName, pPropertyCount, pProperties);
        }
        uint32_t count = 0;
        VkResult result = next(physicalDevice, nullptr, &count, nullptr);
        std::vector<VkExtensionProperties> served(count);
        if (result == VK_SUCCESS) {
            result = next(physicalDevice, nullptr, &count, served.data());
        }
        if (result != VK_SUCCESS) {
            return result;
        }
        served.resize(count);
        std::erase_if(served, [](const VkExtensionProperties& one) {
            return !owned_swapchain_serves(static_cast<const char*>(one.extensionName));
        });
        return give_out(std::span<const VkExtensionProperties>(served), pPropertyCount,
                        pProperties);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
CreateWaylandSurfaceKHR(VkInstance instance, const VkWaylandSurfaceCreateInfoKHR* pCreateInfo,
                        const VkAllocationCallbacks* pAllocator, VkSurfaceKHR* pSurface) {
    return guarded([&] {
        const auto next =
            next_function<PFN_vkCreateWaylandSurfaceKHR>(instance, "vkCreateWaylandSurfaceKHR");
        const VkResult made = next(instance, pCreateInfo, pAllocator, pSurface);
        return known(made, instance, *pSurface, pAllocator, [&] {
            return std::make_shared<WaylandSurface>(pCreateInfo->display, pCreateInfo->surface);
        });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL CreateXcbSurfaceKHR(VkInstance instance,
                                                   const VkXcbSurfaceCreateInfoKHR* pCreateInfo,
                                                   const VkAllocationCallbacks* pAllocator,
                                                   VkSurfaceKHR* pSurface) {
    return guarded([&] {
        const auto next =
            next_function<PFN_vkCreateXcbSurfaceKHR>(instance, "vkCreateXcbSurfaceKHR");
        const VkResult made = next(instance, pCreateInfo, pAllocator, pSurface);
        return known(made, instance, *pSurface, pAllocator, [&] {
            return std::make_shared<X11Surface>(pCreateInfo->connection, pCreateInfo->window);
        });
    });
}

VKAPI_ATTR VkResult VKAPI_CALL CreateXlibSurfaceKHR(VkInstance instance,
                                                    const VkXlibSurfaceCreateInfoKHR* pCreateInfo,
                                                    const VkAllocationCallbacks* pAllocator,
                                                    VkSurfaceKHR* pSurface) {
    return guarded([&] {
        const auto next =
            next_function<PFN_vkCreateXlibSurfaceKHR>(instance, "vkCreateXlibSurfaceKHR");
        const VkResult made = next(instance, pCreateInfo, pAllocator, pSurface);
        return known(made, instance, *pSurface, pAllocator, [&] {
            return std::make_shared<X11Surface>(xcb_connection_of(pCreateInfo->dpy),
                                                static_cast<xcb_window_t>(pCreateInfo->window));
        });
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySurfaceKHR(VkInstance instance, VkSurfaceKHR surface,
                                             const VkAllocationCallbacks* pAllocator) {
    states().surfaces.erase(surface);
    instance_of(instance).next.DestroySurfaceKHR(instance, surface, pAllocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSwapchainKHR(VkDevice device,
                                                  const VkSwapchainCreateInfoKHR* pCreateInfo,
                                                  const VkAllocationCallbacks* pAllocator,
                                                  VkSwapchainKHR* pSwapchain) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        const Device& its = state.device;
        const auto surface = states().surfaces.find(pCreateInfo->surface).value_or(nullptr);
        if (state.presentation) {
            return state.presentation->create(*pCreateInfo, surface, pAllocator, pSwapchain);
        }
        if (surface && !surface->driver_knows(*its.instance, its.physical_device)) {
            return refuse_headless_swapchain("the layer owns no swapchains on this device");
        }
        return its.next.CreateSwapchainKHR(device, pCreateInfo, pAllocator, pSwapchain);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL CreateImage(VkDevice device, const VkImageCreateInfo* pCreateInfo,
                                           const VkAllocationCallbacks* pAllocator,
                                           VkImage* pImage) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        const auto* of_swapchain = find_in_chain<VkImageSwapchainCreateInfoKHR>(
            pCreateInfo->pNext, VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR);
        const auto ours = of_swapchain ? owned(state, of_swapchain->swapchain) : nullptr;
        // Vulkan has its other parameters be the swapchain's.
        return ours ? ours->make_alias(pAllocator, pImage)
                    : state.device.next.CreateImage(device, pCreateInfo, pAllocator, pImage);
    });
}

VKAPI_ATTR void VKAPI_CALL DestroySwapchainKHR(VkDevice device, VkSwapchainKHR swapchain,
                                               const VkAllocationCallbacks* pAllocator) {
    const DeviceState& state = device_of(device);
    if (!state.presentation || !state.presentation->destroy(swapchain, pAllocator)) {
        state.device.next.DestroySwapchainKHR(device, swapchain, pAllocator);
    }
}

VKAPI_ATTR VkResult VKAPI_CALL GetSwapchainImagesKHR(VkDevice device, VkSwapchainKHR swapchain,
                                                     uint32_t* pSwapchainImageCount,
                                                     VkImage* pSwapchainImages) {
    const DeviceState& state = device_of(device);
    const auto ours = owned(state, swapchain);
    if (!ours) {
        return state.device.next.GetSwapchainImagesKHR(device, swapchain, pSwapchainImageCount,
                                                       pSwapchainImages);
    }
    return guarded([&] {
        std::vector<VkImage> images;
        for (const SwapchainImage& image : ours->images()) {
            images.push_back(image.image());
        }
        return give_out(std::span<const VkImage>(images), pSwapchainImageCount, pSwapchainImages);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImageKHR(VkDevice device, VkSwapchainKHR swapchain,
                                                   uint64_t timeout, VkSemaphore semaphore,
                                                   VkFence fence, uint32_t* pImageIndex) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (const auto ours = owned(state, swapchain)) {
            return ours->acquire(timeout, semaphore, fence, pImageIndex);
        }
        return state.device.next.AcquireNextImageKHR(device, swapchain, timeout, semaphore, fence,
                                                     pImageIndex);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL AcquireNextImage2KHR(VkDevice device,
                                                    const VkAcquireNextImageInfoKHR* pAcquireInfo,
                                                    uint32_t* pImageIndex) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        // The mask of devices is one device's: a group of several has no dma-bufs to share.
        if (const auto ours = owned(state, pAcquireInfo->swapchain)) {
            return ours->acquire(pAcquireInfo->timeout, pAcquireInfo->semaphore,
                                 pAcquireInfo->fence, pImageIndex);
        }
        return state.device.next.AcquireNextImage2KHR(device, pAcquireInfo, pImageIndex);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue,
                                               const VkPresentInfoKHR* pPresentInfo) {
    return guarded([&] {
        const DeviceState& state = device_of(queue);
        if (state.presentation) {
            return state.presentation->present(queue, *pPresentInfo);
        }
        return state.device.next.QueuePresentKHR(queue, pPresentInfo);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
ReleaseSwapchainImagesEXT(VkDevice device, const VkReleaseSwapchainImagesInfoEXT* pReleaseInfo) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (const auto ours = owned(state, pReleaseInfo->swapchain)) {
            ours->give_back({pReleaseInfo->pImageIndices, pReleaseInfo->imageIndexCount});
            return VK_SUCCESS;
        }
        return state.device.next.ReleaseSwapchainImagesEXT(device, pReleaseInfo);
    });
}

#ifdef VK_KHR_swapchain_maintenance1
VKAPI_ATTR VkResult VKAPI_CALL
ReleaseSwapchainImagesKHR(VkDevice device, const VkReleaseSwapchainImagesInfoKHR* pReleaseInfo) {
    return ReleaseSwapchainImagesEXT(device, pReleaseInfo);
}
#endif

VKAPI_ATTR VkResult VKAPI_CALL WaitForPresentKHR(VkDevice device, VkSwapchainKHR swapchain,
                                                 uint64_t presentId, uint64_t timeout) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (const auto ours = owned(state, swapchain)) {
            return ours->wait_for_present(presentId, timeout);
        }
        return state.device.next.WaitForPresentKHR(device, swapchain, presentId, timeout);
    });
}

#ifdef VK_KHR_present_wait2
VKAPI_ATTR VkResult VKAPI_CALL WaitForPresent2KHR(VkDevice device, VkSwapchainKHR swapchain,
                                                  const VkPresentWait2InfoKHR* pPresentWait2Info) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (const auto ours = owned(state, swapchain)) {
            return ours->wait_for_present(pPresentWait2Info->presentId, pPresentWait2Info->timeout);
        }
        return state.device.next.WaitForPresent2KHR(device, swapchain, pPresentWait2Info);
    });
}
#endif

VKAPI_ATTR VkResult VKAPI_CALL GetSwapchainStatusKHR(VkDevice device, VkSwapchainKHR swapchain) {
    const DeviceState& state = device_of(device);
    if (const auto ours = owned(state, swapchain)) {
        return ours->status();
    }
    return state.device.next.GetSwapchainStatusKHR(device, swapchain);
}

VKAPI_ATTR void VKAPI_CALL SetHdrMetadataEXT(VkDevice device, uint32_t swapchainCount,
                                             const VkSwapchainKHR* pSwapchains,
                                             const VkHdrMetadataEXT* pMetadata) {
    const DeviceState& state = device_of(device);
    // Nobody looks at an owned swapchain's.
    for (uint32_t i = 0; i < swapchainCount; ++i) {
        if (!owned(state, pSwapchains[i])) {
            state.device.next.SetHdrMetadataEXT(device, 1, &pSwapchains[i], &pMetadata[i]);
        }
    }
}

} // namespace fencebridge::entry
