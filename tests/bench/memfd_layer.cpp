// A stand-in, for machines without dma-bufs: it makes a driver that exports memfds say that they
// are dma-bufs, so that our layer follows resources as it does on one that exports the real thing.
// What a submit costs that hands nothing off can be measured so at the machine's full speed. No
// hand-off can: the kernel takes no fence on these descriptors.
//
// It knows one driver: the functions of the last device made serve all of them.
#include "support/test_layer.hpp"

#include <cstring>
#include <map>
#include <string_view>
#include <vector>

namespace fencebridge::test {

namespace {

constexpr std::string_view pretended = VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME;

struct Next {
    PFN_vkAllocateMemory allocate_memory = nullptr;
    PFN_vkGetMemoryFdKHR get_memory_fd = nullptr;
};
Next next;

/// What the driver is asked instead: of one type, or of a set of them that has one.
VkExternalMemoryHandleTypeFlagBits real(VkExternalMemoryHandleTypeFlags type) {
    if (type == VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) {
        return VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;
    }
    return static_cast<VkExternalMemoryHandleTypeFlagBits>(type);
}

VKAPI_ATTR VkResult VKAPI_CALL EnumerateDeviceExtensionProperties(VkPhysicalDevice physical_device,
                                                                  const char* layer,
                                                                  uint32_t* count,
                                                                  VkExtensionProperties* target) {
    const auto enumerate = next_layer().of_instance<PFN_vkEnumerateDeviceExtensionProperties>(
        "vkEnumerateDeviceExtensionProperties");
    uint32_t found = 0;
    VkResult result = enumerate(physical_device, layer, &found, nullptr);
    std::vector<VkExtensionProperties> all(found);
    result = enumerate(physical_device, layer, &found, all.data());
    all.resize(found + 1);
    std::memcpy(static_cast<char*>(all.back().extensionName), pretended.data(), pretended.size());
    if (target == nullptr) {
        *count = static_cast<uint32_t>(all.size());
        return result;
    }
    const bool is_enough = *count >= all.size();
    *count = is_enough ? static_cast<uint32_t>(all.size()) : *count;
    std::memcpy(target, all.data(), *count * sizeof(*target));
    return is_enough ? result : VK_INCOMPLETE;
}

VKAPI_ATTR void VKAPI_CALL GetPhysicalDeviceExternalBufferProperties(
    VkPhysicalDevice physical_device, const VkPhysicalDeviceExternalBufferInfo* info,
    VkExternalBufferProperties* properties) {
    VkPhysicalDeviceExternalBufferInfo asked = *info;
    asked.handleType = real(info->handleType);
    next_layer().of_instance<PFN_vkGetPhysicalDeviceExternalBufferProperties>(
        "vkGetPhysicalDeviceExternalBufferProperties")(physical_device, &asked, properties);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
    std::vector<const char*> extensions;
    for (uint32_t i = 0; i < info->enabledExtensionCount; ++i) {
        if (info->ppEnabledExtensionNames[i] != pretended) {
            extensions.push_back(info->ppEnabledExtensionNames[i]);
        }
    }
    VkDeviceCreateInfo without = *info;
    without.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    without.ppEnabledExtensionNames = extensions.data();
    const VkResult result = create_below(physical_device, *info, without, allocator, device);
    if (result == VK_SUCCESS) {
        next.allocate_memory =
            next_layer().of_device<PFN_vkAllocateMemory>(*device, "vkAllocateMemory");
        next.get_memory_fd =
            next_layer().of_device<PFN_vkGetMemoryFdKHR>(*device, "vkGetMemoryFdKHR");
    }
    return result;
}

/// The bench's own allocations have the export first in their chain.
VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice device, const VkMemoryAllocateInfo* info,
                                              const VkAllocationCallbacks* allocator,
                                              VkDeviceMemory* memory) {
    const auto* first = static_cast<const VkBaseInStructure*>(info->pNext);
    if (first == nullptr || first->sType != VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO) {
        return next.allocate_memory(device, info, allocator, memory);
    }
    VkExportMemoryAllocateInfo exported =
        *static_cast<const VkExportMemoryAllocateInfo*>(info->pNext);
    exported.handleTypes = real(exported.handleTypes);
    VkMemoryAllocateInfo asked = *info;
    asked.pNext = &exported;
    return next.allocate_memory(device, &asked, allocator, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL GetMemoryFdKHR(VkDevice device, const VkMemoryGetFdInfoKHR* info,
                                              int* fd) {
    VkMemoryGetFdInfoKHR asked = *info;
    asked.handleType = real(info->handleType);
    return next.get_memory_fd(device, &asked, fd);
}

} // namespace

PFN_vkVoidFunction layer_function(std::string_view name) {
    static const std::map<std::string_view, PFN_vkVoidFunction> all = {
        {"vkCreateDevice", untyped(&CreateDevice)},
        {"vkEnumerateDeviceExtensionProperties", untyped(&EnumerateDeviceExtensionProperties)},
        {"vkGetPhysicalDeviceExternalBufferProperties",
         untyped(&GetPhysicalDeviceExternalBufferProperties)},
        {"vkAllocateMemory", untyped(&AllocateMemory)},
        {"vkGetMemoryFdKHR", untyped(&GetMemoryFdKHR)},
    };
    const auto found = all.find(name);
    return found != all.end() ? found->second : nullptr;
}

} // namespace fencebridge::test
