// Names, tags and private data of objects.
#include "transparency/application.hpp"

#include <array>

namespace fencebridge::test {

void script_of_objects(Application& application) {
    const VkDevice device = application.device;
    const VkFenceCreateInfo fence_info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    FB_CALL(application, CreateFence, device, &fence_info, nullptr, &fence);
    const auto object = reinterpret_cast<uint64_t>(fence);

    static constexpr std::array<uint8_t, 4> tag{1, 2, 3, 4};
    const VkDebugUtilsObjectNameInfoEXT name{.sType =
                                                 VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
                                             .objectType = VK_OBJECT_TYPE_FENCE,
                                             .objectHandle = object,
                                             .pObjectName = "a fence"};
    FB_CALL(application, SetDebugUtilsObjectNameEXT, device, &name);
    const VkDebugUtilsObjectTagInfoEXT its_tag{
        .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_TAG_INFO_EXT,
        .objectType = VK_OBJECT_TYPE_FENCE,
        .objectHandle = object,
        .tagSize = tag.size(),
        .pTag = tag.data()};
    FB_CALL(application, SetDebugUtilsObjectTagEXT, device, &its_tag);
    const VkDebugMarkerObjectNameInfoEXT marked{
        .sType = VK_STRUCTURE_TYPE_DEBUG_MARKER_OBJECT_NAME_INFO_EXT,
        .objectType = VK_DEBUG_REPORT_OBJECT_TYPE_FENCE_EXT,
        .object = object,
        .pObjectName = "a fence"};
    FB_CALL(application, DebugMarkerSetObjectNameEXT, device, &marked);
    const VkDebugMarkerObjectTagInfoEXT marker_tag{
        .sType = VK_STRUCTURE_TYPE_DEBUG_MARKER_OBJECT_TAG_INFO_EXT,
        .objectType = VK_DEBUG_REPORT_OBJECT_TYPE_FENCE_EXT,
        .object = object,
        .tagSize = tag.size(),
        .pTag = tag.data()};
    FB_CALL(application, DebugMarkerSetObjectTagEXT, device, &marker_tag);

    const VkPrivateDataSlotCreateInfo slot_info{
        .sType = VK_STRUCTURE_TYPE_PRIVATE_DATA_SLOT_CREATE_INFO};
    VkPrivateDataSlot slot = VK_NULL_HANDLE;
    uint64_t data = 0;
    FB_CALL(application, CreatePrivateDataSlot, device, &slot_info, nullptr, &slot);
    FB_CALL(application, SetPrivateData, device, VK_OBJECT_TYPE_FENCE, object, slot, 42);
    FB_CALL(application, GetPrivateData, device, VK_OBJECT_TYPE_FENCE, object, slot, &data);
    FB_CALL(application, DestroyPrivateDataSlot, device, slot, nullptr);
    if (FB_CALL(application, CreatePrivateDataSlotEXT, device, &slot_info, nullptr, &slot)) {
        FB_CALL(application, SetPrivateDataEXT, device, VK_OBJECT_TYPE_FENCE, object, slot, 43);
        FB_CALL(application, GetPrivateDataEXT, device, VK_OBJECT_TYPE_FENCE, object, slot, &data);
        FB_CALL(application, DestroyPrivateDataSlotEXT, device, slot, nullptr);
    }
    FB_CALL(application, DestroyFence, device, fence, nullptr);
}

} // namespace fencebridge::test
