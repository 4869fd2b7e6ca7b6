// The library's only exported symbol: what the loader calls first.
#include "entry/entry_points.hpp"

#include <vulkan/vk_layer.h>

/// Loader and layer interface, version 2 (LoaderLayerInterface.md, "Layer Version Negotiation").
extern "C" [[gnu::visibility("default")]] VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* pVersionStruct) {
    constexpr uint32_t version = 2;
    if (pVersionStruct == nullptr || pVersionStruct->sType != LAYER_NEGOTIATE_INTERFACE_STRUCT ||
        pVersionStruct->loaderLayerInterfaceVersion < version) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    pVersionStruct->loaderLayerInterfaceVersion = version;
    pVersionStruct->pfnGetInstanceProcAddr = fencebridge::entry::GetInstanceProcAddr;
    pVersionStruct->pfnGetDeviceProcAddr = fencebridge::entry::GetDeviceProcAddr;
    pVersionStruct->pfnGetPhysicalDeviceProcAddr = nullptr;
    return VK_SUCCESS;
}
