// Memory, and what is bound to it.
#include "transparency/application.hpp"

#include <unistd.h>

namespace fencebridge::test {

namespace {

constexpr VkBufferCreateInfo buffer_info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                         .size = 4096,
                                         .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                                  VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT};
constexpr VkImageCreateInfo image_info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                       .imageType = VK_IMAGE_TYPE_2D,
                                       .format = VK_FORMAT_R8G8B8A8_UNORM,
                                       .extent = {16, 16, 1},
                                       .mipLevels = 1,
                                       .arrayLayers = 1,
                                       .samples = VK_SAMPLE_COUNT_1_BIT,
                                       .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT};

/// Which of the three functions binds.
enum class Bind : uint8_t { First, Second, SecondKHR };

VkDeviceMemory allocate(Application& application, const VkMemoryRequirements& needed) {
    const VkMemoryAllocateFlagsInfo flags{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                          .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                    .pNext = &flags,
                                    .allocationSize = needed.size,
                                    .memoryTypeIndex =
                                        application.memory_type(needed.memoryTypeBits, 0)};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    FB_CALL(application, AllocateMemory, application.device, &info, nullptr, &memory);
    return memory;
}

void use_buffer(Application& application, Bind how) {
    const VkDevice device = application.device;
    VkBuffer buffer = VK_NULL_HANDLE;
    FB_CALL(application, CreateBuffer, device, &buffer_info, nullptr, &buffer);
    const VkBufferMemoryRequirementsInfo2 asked{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = buffer};
    VkMemoryRequirements2 needed{.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    FB_CALL(application, GetBufferMemoryRequirements2, device, &asked, &needed);
    const VkDeviceMemory memory = allocate(application, needed.memoryRequirements);
    const VkBindBufferMemoryInfo bind{
        .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, .buffer = buffer, .memory = memory};
    if (how == Bind::First) {
        FB_CALL(application, BindBufferMemory, device, buffer, memory, 0);
    } else if (how == Bind::Second) {
        FB_CALL(application, BindBufferMemory2, device, 1, &bind);
    } else {
        FB_CALL(application, BindBufferMemory2KHR, device, 1, &bind);
    }
    const VkBufferDeviceAddressInfo address{.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                            .buffer = buffer};
    FB_CALL(application, GetBufferDeviceAddress, device, &address);
    FB_CALL(application, GetBufferDeviceAddressKHR, device, &address);
    // The core's feature and this extension exclude each other.
    application.look_up("vkGetBufferDeviceAddressEXT");
    FB_CALL(application, DestroyBuffer, device, buffer, nullptr);
    FB_CALL(application, FreeMemory, device, memory, nullptr);
}

void use_image(Application& application, Bind how) {
    const VkDevice device = application.device;
    VkImage image = VK_NULL_HANDLE;
    FB_CALL(application, CreateImage, device, &image_info, nullptr, &image);
    VkMemoryRequirements needed{};
    FB_CALL(application, GetImageMemoryRequirements, device, image, &needed);
    const VkDeviceMemory memory = allocate(application, needed);
    const VkBindImageMemoryInfo bind{
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, .image = image, .memory = memory};
    if (how == Bind::First) {
        FB_CALL(application, BindImageMemory, device, image, memory, 0);
    } else if (how == Bind::Second) {
        FB_CALL(application, BindImageMemory2, device, 1, &bind);
    } else {
        FB_CALL(application, BindImageMemory2KHR, device, 1, &bind);
    }
    FB_CALL(application, DestroyImage, device, image, nullptr);
    FB_CALL(application, FreeMemory, device, memory, nullptr);
}

/// Shared, but never used by any work: nothing is handed off.
void share(Application& application, VkExternalMemoryHandleTypeFlagBits type) {
    const VkExportMemoryAllocateInfo exported{.sType =
                                                  VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
                                              .handleTypes = static_cast<uint32_t>(type)};
    const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                    .pNext = &exported,
                                    .allocationSize = 65536,
                                    .memoryTypeIndex = application.memory_type(UINT32_MAX, 0)};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    if (!FB_CALL(application, AllocateMemory, application.device, &info, nullptr, &memory)) {
        return;
    }
    const VkMemoryGetFdInfoKHR asked{
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR, .memory = memory, .handleType = type};
    int fd = -1;
    if (FB_CALL(application, GetMemoryFdKHR, application.device, &asked, &fd)) {
        ::close(fd);
    }
    FB_CALL(application, FreeMemory, application.device, memory, nullptr);
}

} // namespace

void script_of_memory(Application& application) {
    for (const Bind how : {Bind::First, Bind::Second, Bind::SecondKHR}) {
        use_buffer(application, how);
        use_image(application, how);
    }
    application.look_up("vkGetMemoryFdKHR");
    if (application.has_extension(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)) {
        share(application, VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT);
    }
    if (application.has_extension(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME)) {
        share(application, VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT);
    }
}

} // namespace fencebridge::test
