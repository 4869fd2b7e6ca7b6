// Calls about objects of any kind, by type and handle: names for the checks' messages; and owned
// swapchains, whose handles a driver would take for objects of its own.
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"
#include "vulkan_handles.hpp"

namespace fencebridge::entry {

namespace {

bool is_owned_swapchain(const DeviceState& state, VkObjectType type, uint64_t handle) {
    const auto swapchain = handle_of_number<VkSwapchainKHR>(handle);
    return state.presentation && type == VK_OBJECT_TYPE_SWAPCHAIN_KHR &&
           state.presentation->find(swapchain) != nullptr;
}

/// VK_EXT_debug_marker has types of its own.
bool is_owned_swapchain(const DeviceState& state, VkDebugReportObjectTypeEXT type,
                        uint64_t handle) {
    return type == VK_DEBUG_REPORT_OBJECT_TYPE_SWAPCHAIN_KHR_EXT &&
           is_owned_swapchain(state, VK_OBJECT_TYPE_SWAPCHAIN_KHR, handle);
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL
SetDebugUtilsObjectNameEXT(VkDevice device, const VkDebugUtilsObjectNameInfoEXT* pNameInfo) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (state.bridge != nullptr && state.bridge->debug_messages != nullptr) {
            state.bridge->debug_messages->set_name({pNameInfo->objectType, pNameInfo->objectHandle},
                                                   pNameInfo->pObjectName);
        }
        if (is_owned_swapchain(state, pNameInfo->objectType, pNameInfo->objectHandle)) {
            return VK_SUCCESS;
        }
        return state.device.next.SetDebugUtilsObjectNameEXT(device, pNameInfo);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL
SetDebugUtilsObjectTagEXT(VkDevice device, const VkDebugUtilsObjectTagInfoEXT* pTagInfo) {
    const DeviceState& state = device_of(device);
    if (is_owned_swapchain(state, pTagInfo->objectType, pTagInfo->objectHandle)) {
        return VK_SUCCESS;
    }
    return state.device.next.SetDebugUtilsObjectTagEXT(device, pTagInfo);
}

VKAPI_ATTR VkResult VKAPI_CALL
DebugMarkerSetObjectNameEXT(VkDevice device, const VkDebugMarkerObjectNameInfoEXT* pNameInfo) {
    const DeviceState& state = device_of(device);
    if (is_owned_swapchain(state, pNameInfo->objectType, pNameInfo->object)) {
        return VK_SUCCESS;
    }
    return state.device.next.DebugMarkerSetObjectNameEXT(device, pNameInfo);
}

VKAPI_ATTR VkResult VKAPI_CALL
DebugMarkerSetObjectTagEXT(VkDevice device, const VkDebugMarkerObjectTagInfoEXT* pTagInfo) {
    const DeviceState& state = device_of(device);
    if (is_owned_swapchain(state, pTagInfo->objectType, pTagInfo->object)) {
        return VK_SUCCESS;
    }
    return state.device.next.DebugMarkerSetObjectTagEXT(device, pTagInfo);
}

VKAPI_ATTR VkResult VKAPI_CALL SetPrivateData(VkDevice device, VkObjectType objectType,
                                              uint64_t objectHandle,
                                              VkPrivateDataSlot privateDataSlot, uint64_t data) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (is_owned_swapchain(state, objectType, objectHandle)) {
            state.presentation->private_data.set(objectHandle, privateDataSlot, data);
            return VK_SUCCESS;
        }
        return state.device.next.SetPrivateData(device, objectType, objectHandle, privateDataSlot,
                                                data);
    });
}

VKAPI_ATTR VkResult VKAPI_CALL SetPrivateDataEXT(VkDevice device, VkObjectType objectType,
                                                 uint64_t objectHandle,
                                                 VkPrivateDataSlot privateDataSlot, uint64_t data) {
    return SetPrivateData(device, objectType, objectHandle, privateDataSlot, data);
}

VKAPI_ATTR void VKAPI_CALL GetPrivateData(VkDevice device, VkObjectType objectType,
                                          uint64_t objectHandle, VkPrivateDataSlot privateDataSlot,
                                          uint64_t* pData) {
    const DeviceState& state = device_of(device);
    if (is_owned_swapchain(state, objectType, objectHandle)) {
        *pData = state.presentation->private_data.get(objectHandle, privateDataSlot);
        return;
    }
    state.device.next.GetPrivateData(device, objectType, objectHandle, privateDataSlot, pData);
}

VKAPI_ATTR void VKAPI_CALL GetPrivateDataEXT(VkDevice device, VkObjectType objectType,
                                             uint64_t objectHandle,
                                             VkPrivateDataSlot privateDataSlot, uint64_t* pData) {
    GetPrivateData(device, objectType, objectHandle, privateDataSlot, pData);
}

VKAPI_ATTR void VKAPI_CALL DestroyPrivateDataSlot(VkDevice device,
                                                  VkPrivateDataSlot privateDataSlot,
                                                  const VkAllocationCallbacks* pAllocator) {
    const DeviceState& state = device_of(device);
    if (state.presentation) {
        state.presentation->private_data.forget_slot(privateDataSlot);
    }
    state.device.next.DestroyPrivateDataSlot(device, privateDataSlot, pAllocator);
}

VKAPI_ATTR void VKAPI_CALL DestroyPrivateDataSlotEXT(VkDevice device,
                                                     VkPrivateDataSlot privateDataSlot,
                                                     const VkAllocationCallbacks* pAllocator) {
    DestroyPrivateDataSlot(device, privateDataSlot, pAllocator);
}

} // namespace fencebridge::entry
