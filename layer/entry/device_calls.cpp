// vkCreateDevice, vkDestroyDevice.
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physicalDevice,
                                            const VkDeviceCreateInfo* pCreateInfo,
                                            const VkAllocationCallbacks* pAllocator,
                                            VkDevice* pDevice) {
    return guarded([&] {
        auto state = std::make_unique<DeviceState>();
        // The loader keeps a pointer of its own in there for the end of the chain.
        state->device.handle = *pDevice;
        const VkResult result = create_device(instance_of(physicalDevice), physicalDevice,
                                              *pCreateInfo, pAllocator, state->device);
        if (result != VK_SUCCESS) {
            return result;
        }
        const VkDevice handle = state->device.handle;
        try {
            if (state->device.shares_memory) {
                state->bridge = std::make_unique<Bridge>(state->device);
            }
            if (state->device.has_swapchains) {
                state->presentation =
                    std::make_unique<Presentation>(state->device, state->bridge.get());
            }
            states().devices.insert(dispatch_key(handle), state.get());
        } catch (const std::bad_alloc&) {
            state->presentation.reset();
            state->bridge.reset();
            state->device.next.DestroyDevice(handle, pAllocator);
            throw;
        }
        (void)state.release();
        *pDevice = handle;
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* pAllocator) {
    if (device == VK_NULL_HANDLE) {
        return;
    }
    const std::unique_ptr<DeviceState> state(states().devices.erase(dispatch_key(device)));
    state->presentation.reset();
    if (state->bridge) {
        state->bridge->each_queue([](VkQueue queue) { states().queues.erase(queue); });
        // The bridge's own Vulkan objects go before the device does.
        state->bridge.reset();
    }
    state->device.next.DestroyDevice(device, pAllocator);
}

} // namespace fencebridge::entry
