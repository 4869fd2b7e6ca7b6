#include "support/test_layer.hpp"

namespace fencebridge::test {

namespace {

/// The structure of the loader's with that function in it; there is one.
template<typename Info>
Info& loader_info(const void* next, VkStructureType type, VkLayerFunction function) {
    const auto* item = static_cast<const VkBaseInStructure*>(next);
    while (item->sType != type || reinterpret_cast<const Info*>(item)->function != function) {
        item = item->pNext;
    }
    return *const_cast<Info*>(reinterpret_cast<const Info*>(item));
}

/// Takes this layer's link off the chain and returns it.
template<typename Info>
auto take_link(const void* next, VkStructureType type) {
    Info& info = loader_info<Info>(next, type, VK_LAYER_LINK_INFO);
    const auto ours = *info.u.pLayerInfo;
    info.u.pLayerInfo = ours.pNext;
    return ours;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info,
                                              const VkAllocationCallbacks* allocator,
                                              VkInstance* instance) {
    return create_below(*info, *info, allocator, instance);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
    return create_below(physical_device, *info, *info, allocator, device);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance instance, const char* name);
VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name);

PFN_vkVoidFunction ours(std::string_view name) {
    if (const PFN_vkVoidFunction of_the_layer = layer_function(name)) {
        return of_the_layer;
    }
    if (name == "vkGetInstanceProcAddr") {
        return untyped(&GetInstanceProcAddr);
    }
    if (name == "vkGetDeviceProcAddr") {
        return untyped(&GetDeviceProcAddr);
    }
    if (name == "vkCreateInstance") {
        return untyped(&CreateInstance);
    }
    return name == "vkCreateDevice" ? untyped(&CreateDevice) : nullptr;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance instance,
                                                             const char* name) {
    // The loader asks for vkCreateInstance with a handle that is none of ours yet.
    if (instance == VK_NULL_HANDLE || std::string_view(name) == "vkCreateInstance") {
        return ours(name);
    }
    // What nobody below knows stays unknown.
    const PFN_vkVoidFunction theirs = next_layer().instance_functions(instance, name);
    const PFN_vkVoidFunction function = theirs != nullptr ? ours(name) : nullptr;
    return function != nullptr ? function : theirs;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name) {
    const PFN_vkVoidFunction theirs = next_layer().device_functions(device, name);
    const PFN_vkVoidFunction function = theirs != nullptr ? ours(name) : nullptr;
    return function != nullptr ? function : theirs;
}

} // namespace

NextLayer& next_layer() {
    static NextLayer one;
    return one;
}

VkResult create_below(const VkInstanceCreateInfo& info, const VkInstanceCreateInfo& passed,
                      const VkAllocationCallbacks* allocator, VkInstance* instance) {
    const auto link = take_link<VkLayerInstanceCreateInfo>(
        info.pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    const auto create = reinterpret_cast<PFN_vkCreateInstance>(
        link.pfnNextGetInstanceProcAddr(VK_NULL_HANDLE, "vkCreateInstance"));
    const VkResult result = create(&passed, allocator, instance);
    if (result == VK_SUCCESS) {
        next_layer().instance = *instance;
        next_layer().instance_functions = link.pfnNextGetInstanceProcAddr;
    }
    return result;
}

VkResult create_below(VkPhysicalDevice physical_device, const VkDeviceCreateInfo& info,
                      const VkDeviceCreateInfo& passed, const VkAllocationCallbacks* allocator,
                      VkDevice* device) {
    const auto link =
        take_link<VkLayerDeviceCreateInfo>(info.pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    const auto create = reinterpret_cast<PFN_vkCreateDevice>(
        link.pfnNextGetInstanceProcAddr(next_layer().instance, "vkCreateDevice"));
    const VkResult result = create(physical_device, &passed, allocator, device);
    if (result == VK_SUCCESS) {
        next_layer().device_functions = link.pfnNextGetDeviceProcAddr;
        next_layer().set_loader_data =
            loader_info<VkLayerDeviceCreateInfo>(
                info.pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO, VK_LOADER_DATA_CALLBACK)
                .u.pfnSetDeviceLoaderData;
    }
    return result;
}

} // namespace fencebridge::test

extern "C" [[gnu::visibility("default")]] VKAPI_ATTR VkResult VKAPI_CALL
vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface* interface) {
    interface->loaderLayerInterfaceVersion = 2;
    interface->pfnGetInstanceProcAddr = fencebridge::test::GetInstanceProcAddr;
    interface->pfnGetDeviceProcAddr = fencebridge::test::GetDeviceProcAddr;
    interface->pfnGetPhysicalDeviceProcAddr = nullptr;
    return VK_SUCCESS;
}
