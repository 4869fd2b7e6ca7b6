#include "report/debug_messages.hpp"

#include "report/log.hpp"

namespace fencebridge {

namespace {

const char* type_name(VkObjectType type) {
    switch (type) {
    case VK_OBJECT_TYPE_IMAGE:
        return "VkImage";
    case VK_OBJECT_TYPE_BUFFER:
        return "VkBuffer";
    case VK_OBJECT_TYPE_DEVICE_MEMORY:
        return "VkDeviceMemory";
    default:
        return "object";
    }
}

} // namespace

void DebugMessages::set_name(const DebugObject& object, const char* name) {
    const std::lock_guard guard(mutex_);
    if (name == nullptr || *name == '\0') {
        names_.erase(object);
    } else {
        names_.insert_or_assign(object, name);
    }
}

std::string DebugMessages::name_of(const DebugObject& object) const {
    const std::lock_guard guard(mutex_);
    const auto found = names_.find(object);
    return found == names_.end() ? "" : found->second;
}

void DebugMessages::send(const DebugMessage& message) const {
    const std::string name = name_of(message.object);
    log(LogLevel::Warn, "%s: %s 0x%llx%s%s%s %s", message.id, type_name(message.object.type),
        static_cast<unsigned long long>(message.object.handle), name.empty() ? "" : " \"",
        name.c_str(), name.empty() ? "" : "\"", message.text.c_str());
    if (submit_ == nullptr) {
        return;
    }
    const std::string text = std::string(type_name(message.object.type)) +
                             (name.empty() ? "" : " \"" + name + '"') + ' ' + message.text;
    const VkDebugUtilsObjectNameInfoEXT object{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
        .objectType = message.object.type,
        .objectHandle = message.object.handle,
        .pObjectName = name.empty() ? nullptr : name.c_str(),
    };
    const VkDebugUtilsMessengerCallbackDataEXT data{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CALLBACK_DATA_EXT,
        .pMessageIdName = message.id,
        .pMessage = text.c_str(),
        .objectCount = 1,
        .pObjects = &object,
    };
    submit_(instance_, VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT,
            VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT, &data);
}

} // namespace fencebridge
