// Two layers of another's making, one above ours and one below: the upper one puts a structure that
// nobody knows into every chain that it passes on, and the lower one looks for it and takes it out
// again. What the application has never seen must come through ours all the same.
//
// FENCEBRIDGE_ADDS makes it the upper one, else it is the lower.
#include "support/test_layer.hpp"

#include <cstdint>
#include <cstdio>
#include <map>
#include <string_view>
#include <vector>

namespace fencebridge::test {

namespace {

struct Mark {
    VkStructureType sType = static_cast<VkStructureType>(0x7f000001);
    const void* pNext = nullptr;
    uint64_t number = 0;
};

PFN_vkAllocateMemory allocate_memory = nullptr;
PFN_vkQueueSubmit queue_submit = nullptr;
PFN_vkDestroyDevice destroy_device = nullptr;
uint64_t marks = 0; ///< put into chains, or found in order

#ifdef FENCEBRIDGE_ADDS
constexpr const char* word = "added";

template<typename Info>
void mark(Info& info, Mark& with) {
    with.number = ++marks;
    with.pNext = info.pNext;
    info.pNext = &with;
}
#else
constexpr const char* word = "arrived";

/// Takes the mark out. The structures before it are copies that the layers above have made for
/// this call: the upper layer puts its mark first.
template<typename Info>
void mark(Info& info, Mark& /*with*/) {
    const auto type = Mark().sType;
    auto* before = reinterpret_cast<VkBaseOutStructure*>(&info);
    while (before->pNext != nullptr && before->pNext->sType != type) {
        before = before->pNext;
    }
    if (before->pNext != nullptr) {
        marks += reinterpret_cast<const Mark*>(before->pNext)->number == marks + 1 ? 1 : 0;
        before->pNext = before->pNext->pNext;
    }
}
#endif

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
    marks = 0;
    VkDeviceCreateInfo changed = *info;
    // An extension that the application has not asked for.
    std::vector<const char*> extensions(
        info->ppEnabledExtensionNames, info->ppEnabledExtensionNames + info->enabledExtensionCount);
    extensions.push_back(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    changed.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    changed.ppEnabledExtensionNames = extensions.data();
    Mark added;
    mark(changed, added);
    const VkResult result = create_below(physical_device, *info, changed, allocator, device);
    if (result == VK_SUCCESS) {
        const NextLayer& next = next_layer();
        allocate_memory = next.of_device<PFN_vkAllocateMemory>(*device, "vkAllocateMemory");
        queue_submit = next.of_device<PFN_vkQueueSubmit>(*device, "vkQueueSubmit");
        destroy_device = next.of_device<PFN_vkDestroyDevice>(*device, "vkDestroyDevice");
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
    destroy_device(device, allocator);
    std::printf("marks %s: %llu\n", word, static_cast<unsigned long long>(marks));
}

VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice device, const VkMemoryAllocateInfo* info,
                                              const VkAllocationCallbacks* allocator,
                                              VkDeviceMemory* memory) {
    VkMemoryAllocateInfo changed = *info;
    Mark added;
    mark(changed, added);
    return allocate_memory(device, &changed, allocator, memory);
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    std::vector<VkSubmitInfo> changed(infos, infos + count);
    std::vector<Mark> added(count);
    for (uint32_t i = 0; i < count; ++i) {
        mark(changed[i], added[i]);
    }
    return queue_submit(queue, count, changed.data(), fence);
}

} // namespace

PFN_vkVoidFunction layer_function(std::string_view name) {
    static const std::map<std::string_view, PFN_vkVoidFunction> all = {
        {"vkCreateDevice", untyped(&CreateDevice)},
        {"vkDestroyDevice", untyped(&DestroyDevice)},
        {"vkAllocateMemory", untyped(&AllocateMemory)},
        {"vkQueueSubmit", untyped(&QueueSubmit)},
    };
    const auto found = all.find(name);
    return found != all.end() ? found->second : nullptr;
}

} // namespace fencebridge::test
