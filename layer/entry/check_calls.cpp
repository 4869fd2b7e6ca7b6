// What only the setting `check` needs.
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

VKAPI_ATTR VkResult VKAPI_CALL
SetDebugUtilsObjectNameEXT(VkDevice device, const VkDebugUtilsObjectNameInfoEXT* pNameInfo) {
    return guarded([&] {
        const DeviceState& state = device_of(device);
        if (state.bridge != nullptr && state.bridge->debug_messages != nullptr) {
            state.bridge->debug_messages->set_name({pNameInfo->objectType, pNameInfo->objectHandle},
                                                   pNameInfo->pObjectName);
        }
        return state.device.next.SetDebugUtilsObjectNameEXT(device, pNameInfo);
    });
}

} // namespace fencebridge::entry
