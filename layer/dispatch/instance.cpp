#include "dispatch/instance.hpp"

#include "dispatch/aliases.hpp"
#include "dispatch/chain.hpp"
#include "dispatch/extensions.hpp"

namespace fencebridge {

VkResult create_instance(const VkInstanceCreateInfo& info, const VkAllocationCallbacks* allocator,
                         Instance& instance) {
    auto* link = find_link<VkLayerInstanceCreateInfo>(
        info.pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    if (link == nullptr || link->u.pLayerInfo == nullptr) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    VkLayerInstanceLink* const here = link->u.pLayerInfo;
    const PFN_vkGetInstanceProcAddr next_gipa = here->pfnNextGetInstanceProcAddr;
    const auto next_create =
        reinterpret_cast<PFN_vkCreateInstance>(next_gipa(VK_NULL_HANDLE, "vkCreateInstance"));
    if (next_create == nullptr) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }

    if (info.pApplicationInfo != nullptr && info.pApplicationInfo->apiVersion != 0) {
        instance.api_version = info.pApplicationInfo->apiVersion;
    }
    const bool is_1_0 = instance.api_version < VK_API_VERSION_1_1;
    ExtensionList extensions(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    const bool may_share =
        !is_1_0 || extensions.contains(VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME);
    const bool may_own = extensions.contains(VK_KHR_SURFACE_EXTENSION_NAME) &&
                         (instance.settings.present == PresentSetting::Owned ||
                          instance.settings.present == PresentSetting::Auto);
    // Which driver a device is of must be asked for headless surfaces, whatever the setting.
    const bool has_headless = extensions.contains(VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME);
    const uint32_t asked_for = extensions.size();
    if (is_1_0 && (may_share || may_own)) {
        extensions.add(VK_KHR_EXTERNAL_SEMAPHORE_CAPABILITIES_EXTENSION_NAME);
        extensions.add(VK_KHR_EXTERNAL_FENCE_CAPABILITIES_EXTENSION_NAME);
    }
    if (is_1_0 && (may_own || has_headless)) {
        extensions.add(VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME);
        extensions.add(VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME);
    }

    VkInstanceCreateInfo ours = info;
    ours.ppEnabledExtensionNames = extensions.data();
    ours.enabledExtensionCount = extensions.size();
    const VkInstance loader_handle = instance.handle;
    link->u.pLayerInfo = here->pNext;
    VkResult result = next_create(&ours, allocator, &instance.handle);
    bool added = extensions.size() != asked_for;
    if (result == VK_ERROR_EXTENSION_NOT_PRESENT && added) {
        added = false;
        link->u.pLayerInfo = here->pNext;
        instance.handle = loader_handle;
        result = next_create(&info, allocator, &instance.handle);
    }
    link->u.pLayerInfo = here;
    if (result != VK_SUCCESS) {
        return result;
    }

    if (!added) {
        extensions = ExtensionList(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    }
    vkuInitInstanceDispatchTable(instance.handle, &instance.next, next_gipa);
    unify_aliases(instance.next, is_1_0);
    instance.has_properties2 =
        !is_1_0 || extensions.contains(VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME);
    instance.has_debug_utils = extensions.contains(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    if (has_headless) {
        instance.headless_drivers = std::make_shared<HeadlessDrivers>();
    }
    // A 1.0 instance can ask only where the extensions are on, by the application or by us.
    instance.has_external_queries =
        !is_1_0 || (extensions.contains(VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME) &&
                    extensions.contains(VK_KHR_EXTERNAL_SEMAPHORE_CAPABILITIES_EXTENSION_NAME) &&
                    extensions.contains(VK_KHR_EXTERNAL_FENCE_CAPABILITIES_EXTENSION_NAME));
    return VK_SUCCESS;
}

} // namespace fencebridge
