// What every layer of the tests' own repeats: the functions that the loader asks for first, and the
// way through vkCreateInstance and vkCreateDevice to the next layer.
//
// It knows one instance and one device at a time: those made last serve all.
#pragma once

#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

#include <string_view>

namespace fencebridge::test {

/// What stands below the layer.
struct NextLayer {
    VkInstance instance = VK_NULL_HANDLE;
    PFN_vkGetInstanceProcAddr instance_functions = nullptr;
    PFN_vkGetDeviceProcAddr device_functions = nullptr;
    PFN_vkSetDeviceLoaderData set_loader_data = nullptr; ///< of the device made last

    /// Null where nobody below has a function of that name.
    template<typename Function>
    Function of_instance(const char* name) const {
        return reinterpret_cast<Function>(instance_functions(instance, name));
    }
    template<typename Function>
    Function of_device(VkDevice device, const char* name) const {
        return reinterpret_cast<Function>(device_functions(device, name));
    }
};
NextLayer& next_layer();

/// The next layers' vkCreateInstance and vkCreateDevice. `info` is what the layer was given, with
/// the loader's structures; `passed` is what goes down: that, or a copy with changes.
VkResult create_below(const VkInstanceCreateInfo& info, const VkInstanceCreateInfo& passed,
                      const VkAllocationCallbacks* allocator, VkInstance* instance);
VkResult create_below(VkPhysicalDevice physical_device, const VkDeviceCreateInfo& info,
                      const VkDeviceCreateInfo& passed, const VkAllocationCallbacks* allocator,
                      VkDevice* device);

/// To be defined by each layer: its function of that name, or null. vkCreateInstance and
/// vkCreateDevice need not be among them.
PFN_vkVoidFunction layer_function(std::string_view name);

template<typename Function>
PFN_vkVoidFunction untyped(Function* function) {
    return reinterpret_cast<PFN_vkVoidFunction>(function);
}

} // namespace fencebridge::test
