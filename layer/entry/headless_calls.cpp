// VK_EXT_headless_surface: the driver's own affair where it has the extension; where it has not,
// the layer answers for it. The surface itself is the loader's everywhere.
#include "dispatch/give_out.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"
#include "present/headless.hpp"
#include "present/headless_answers.hpp"

#include <memory>
#include <span>

namespace fencebridge::entry {

namespace {

/// Runs `answer` where the surface is one that the driver does not know, else `next`. A surface
/// that is not supported gives queries nothing: Vulkan lets no application make them.
template<typename Answer, typename Next>
VkResult answer_or(VkPhysicalDevice physical_device, VkSurfaceKHR surface, Answer answer,
                   Next next) {
    return guarded([&] {
        const auto known = states().surfaces.find(surface).value_or(nullptr);
        const Instance& instance = instance_of(physical_device);
        if (!known || known->driver_knows(instance, physical_device)) {
            return next(instance.next);
        }
        const HeadlessAnswers answers(instance, physical_device);
        return answers.unsupported() == nullptr ? answer(answers) : VK_ERROR_SURFACE_LOST_KHR;
    });
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
CreateHeadlessSurfaceEXT(VkInstance instance, const VkHeadlessSurfaceCreateInfoEXT* pCreateInfo,
                         const VkAllocationCallbacks* pAllocator, VkSurfaceKHR* pSurface) {
    return guarded([&] {
        const auto& next = instance_of(instance).next;
        const VkResult made =
            next.CreateHeadlessSurfaceEXT(instance, pCreateInfo, pAllocator, pSurface);
        if (made == VK_SUCCESS) {
            record_or_destroy(
                [&] { states().surfaces.insert(*pSurface, std::make_shared<HeadlessSurface>()); },
                [&] { next.DestroySurfaceKHR(instance, *pSurface, pAllocator); });
        }
        return made;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceSupportKHR(VkPhysicalDevice physicalDevice,
                                                                  uint32_t queueFamilyIndex,
                                                                  VkSurfaceKHR surface,
                                                                  VkBool32* pSupported) {
    return guarded([&] {
        const auto known = states().surfaces.find(surface).value_or(nullptr);
        const Instance& instance = instance_of(physicalDevice);
        if (!known || known->driver_knows(instance, physicalDevice)) {
            return instance.next.GetPhysicalDeviceSurfaceSupportKHR(
                physicalDevice, queueFamilyIndex, surface, pSupported);
        }
        // A present of ours is a submit, which every queue takes.
        const char* const unsupported = HeadlessAnswers(instance, physicalDevice).unsupported();
        *pSupported = unsupported == nullptr ? VK_TRUE : VK_FALSE;
        static Once once;
        if (unsupported != nullptr && once.first()) {
            log(LogLevel::Info, "headless surfaces are not supported: the driver has no %s, and %s",
                VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME, unsupported);
        }
        return VK_SUCCESS;
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
GetPhysicalDeviceSurfaceCapabilitiesKHR(VkPhysicalDevice physicalDevice, VkSurfaceKHR surface,
                                        VkSurfaceCapabilitiesKHR* pSurfaceCapabilities) {
    return answer_or(
        physicalDevice, surface,
        [&](const HeadlessAnswers& answers) {
            *pSurfaceCapabilities = answers.capabilities();
            return VK_SUCCESS;
        },
        [&](const auto& next) {
            return next.GetPhysicalDeviceSurfaceCapabilitiesKHR(physicalDevice, surface,
                                                                pSurfaceCapabilities);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceCapabilities2KHR(
    VkPhysicalDevice physicalDevice, const VkPhysicalDeviceSurfaceInfo2KHR* pSurfaceInfo,
    VkSurfaceCapabilities2KHR* pSurfaceCapabilities) {
    return answer_or(
        physicalDevice, pSurfaceInfo->surface,
        [&](const HeadlessAnswers& answers) {
            pSurfaceCapabilities->surfaceCapabilities = answers.capabilities();
            answers.fill_chain(*pSurfaceInfo, pSurfaceCapabilities->pNext);
            return VK_SUCCESS;
        },
        [&](const auto& next) {
            return next.GetPhysicalDeviceSurfaceCapabilities2KHR(physicalDevice, pSurfaceInfo,
                                                                 pSurfaceCapabilities);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL
GetPhysicalDeviceSurfaceCapabilities2EXT(VkPhysicalDevice physicalDevice, VkSurfaceKHR surface,
                                         VkSurfaceCapabilities2EXT* pSurfaceCapabilities) {
    return answer_or(
        physicalDevice, surface,
        [&](const HeadlessAnswers& answers) {
            const VkSurfaceCapabilitiesKHR all = answers.capabilities();
            VkSurfaceCapabilities2EXT& target = *pSurfaceCapabilities;
            target.minImageCount = all.minImageCount;
            target.maxImageCount = all.maxImageCount;
            target.currentExtent = all.currentExtent;
            target.minImageExtent = all.minImageExtent;
            target.maxImageExtent = all.maxImageExtent;
            target.maxImageArrayLayers = all.maxImageArrayLayers;
            target.supportedTransforms = all.supportedTransforms;
            target.currentTransform = all.currentTransform;
            target.supportedCompositeAlpha = all.supportedCompositeAlpha;
            target.supportedUsageFlags = all.supportedUsageFlags;
            target.supportedSurfaceCounters = 0;
            return VK_SUCCESS;
        },
        [&](const auto& next) {
            return next.GetPhysicalDeviceSurfaceCapabilities2EXT(physicalDevice, surface,
                                                                 pSurfaceCapabilities);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceFormatsKHR(
    VkPhysicalDevice physicalDevice, VkSurfaceKHR surface, uint32_t* pSurfaceFormatCount,
    VkSurfaceFormatKHR* pSurfaceFormats) {
    return answer_or(
        physicalDevice, surface,
        [&](const HeadlessAnswers& answers) {
            const auto formats = answers.formats();
            return give_out(std::span<const VkSurfaceFormatKHR>(formats), pSurfaceFormatCount,
                            pSurfaceFormats);
        },
        [&](const auto& next) {
            return next.GetPhysicalDeviceSurfaceFormatsKHR(physicalDevice, surface,
                                                           pSurfaceFormatCount, pSurfaceFormats);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfaceFormats2KHR(
    VkPhysicalDevice physicalDevice, const VkPhysicalDeviceSurfaceInfo2KHR* pSurfaceInfo,
    uint32_t* pSurfaceFormatCount, VkSurfaceFormat2KHR* pSurfaceFormats) {
    return answer_or(
        physicalDevice, pSurfaceInfo->surface,
        [&](const HeadlessAnswers& answers) {
            const auto formats = answers.formats();
            return give_out(std::span<const VkSurfaceFormatKHR>(formats), pSurfaceFormatCount,
                            pSurfaceFormats,
                            [](VkSurfaceFormat2KHR& to, const VkSurfaceFormatKHR& from) {
                                to.surfaceFormat = from;
                            });
        },
        [&](const auto& next) {
            return next.GetPhysicalDeviceSurfaceFormats2KHR(physicalDevice, pSurfaceInfo,
                                                            pSurfaceFormatCount, pSurfaceFormats);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDeviceSurfacePresentModesKHR(
    VkPhysicalDevice physicalDevice, VkSurfaceKHR surface, uint32_t* pPresentModeCount,
    VkPresentModeKHR* pPresentModes) {
    return answer_or(
        physicalDevice, surface,
        [&](const HeadlessAnswers& /*answers*/) {
            return give_out(HeadlessAnswers::modes(), pPresentModeCount, pPresentModes);
        },
        [&](const auto& next) {
            return next.GetPhysicalDeviceSurfacePresentModesKHR(physicalDevice, surface,
                                                                pPresentModeCount, pPresentModes);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetPhysicalDevicePresentRectanglesKHR(
    VkPhysicalDevice physicalDevice, VkSurfaceKHR surface, uint32_t* pRectCount, VkRect2D* pRects) {
    return answer_or(
        physicalDevice, surface,
        [&](const HeadlessAnswers& answers) {
            const VkRect2D all{.offset = {}, .extent = answers.capabilities().maxImageExtent};
            return give_out(std::span<const VkRect2D>(&all, 1), pRectCount, pRects);
        },
        [&](const auto& next) {
            return next.GetPhysicalDevicePresentRectanglesKHR(physicalDevice, surface, pRectCount,
                                                              pRects);
        });
}

VKAPI_ATTR VkResult VKAPI_CALL GetDeviceGroupSurfacePresentModesKHR(
    VkDevice device, VkSurfaceKHR surface, VkDeviceGroupPresentModeFlagsKHR* pModes) {
    const Device& state = device_of(device).device;
    return answer_or(
        state.physical_device, surface,
        [&](const HeadlessAnswers& /*answers*/) {
            *pModes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR;
            return VK_SUCCESS;
        },
        [&](const auto& /*next*/) {
            return state.next.GetDeviceGroupSurfacePresentModesKHR(device, surface, pModes);
        });
}

} // namespace fencebridge::entry
