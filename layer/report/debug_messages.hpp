// Messages to the application's VK_EXT_debug_utils messengers, and the names that it gave to
// objects.
#pragma once

#include "vulkan_handles.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>

namespace fencebridge {

/// An object as a message names it.
struct DebugObject {
    VkObjectType type = VK_OBJECT_TYPE_UNKNOWN;
    uint64_t handle = 0;

    auto operator<=>(const DebugObject&) const = default;
};
inline DebugObject debug_object(VkImage image) {
    return {VK_OBJECT_TYPE_IMAGE, number_of(image)};
}
inline DebugObject debug_object(VkBuffer buffer) {
    return {VK_OBJECT_TYPE_BUFFER, number_of(buffer)};
}
inline DebugObject debug_object(VkDeviceMemory memory) {
    return {VK_OBJECT_TYPE_DEVICE_MEMORY, number_of(memory)};
}

struct DebugMessage {
    const char* id;     ///< stable, for filters; outlives the message
    DebugObject object; ///< what it is about
    std::string text;   ///< what is wrong, and what to do
};

/// Thread-safe.
class DebugMessages {
public:
    /// `submit` is the next layer's, or null where the application has not enabled
    /// VK_EXT_debug_utils: then messages go to the log alone.
    DebugMessages(VkInstance instance, PFN_vkSubmitDebugUtilsMessageEXT submit)
        : instance_(instance), submit_(submit) {}

    /// vkSetDebugUtilsObjectNameEXT: `name` is copied; null or empty takes the name away.
    void set_name(const DebugObject& object, const char* name);
    void forget(const DebugObject& object) { set_name(object, nullptr); }

    /// A warning of the type VALIDATION, and a line in the log. Calls the application back: no lock
    /// may be held.
    void send(const DebugMessage& message) const;
    void send(std::span<const DebugMessage> messages) const {
        for (const DebugMessage& message : messages) {
            send(message);
        }
    }

private:
    std::string name_of(const DebugObject& object) const;

    const VkInstance instance_;
    const PFN_vkSubmitDebugUtilsMessageEXT submit_;
    mutable std::mutex mutex_;
    std::map<DebugObject, std::string> names_;
};

} // namespace fencebridge
