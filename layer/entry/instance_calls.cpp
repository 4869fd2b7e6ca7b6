// vkCreateInstance, vkDestroyInstance.
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* pCreateInfo,
                                              const VkAllocationCallbacks* pAllocator,
                                              VkInstance* pInstance) {
    return guarded([&] {
        auto instance = std::make_unique<Instance>();
        instance->settings = read_settings(*pCreateInfo);
        // The loader keeps a pointer of its own in there for the end of the chain.
        instance->handle = *pInstance;
        const VkResult result = create_instance(*pCreateInfo, pAllocator, *instance);
        if (result != VK_SUCCESS) {
            return result;
        }
        const VkInstance handle = instance->handle;
        try {
            states().instances.insert(dispatch_key(handle), instance.get());
        } catch (const std::bad_alloc&) {
            instance->next.DestroyInstance(handle, pAllocator);
            throw;
        }
        (void)instance.release();
        *pInstance = handle;
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyInstance(VkInstance instance,
                                           const VkAllocationCallbacks* pAllocator) {
    if (instance == VK_NULL_HANDLE) {
        return;
    }
    const std::unique_ptr<Instance> state(states().instances.erase(dispatch_key(instance)));
    state->next.DestroyInstance(instance, pAllocator);
}

} // namespace fencebridge::entry
