#include "support/vulkan_memory.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace fencebridge::test {

namespace {

constexpr auto dma_buf_type = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr VkBufferUsageFlags both_ways =
    VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT;

/// The memory types of `allowed` that the CPU can see, where there are any: a test maps the
/// dma-buf, which not every driver lets it do with memory of the GPU's own.
uint32_t visible_ones(const VulkanContext& context, uint32_t allowed) {
    VkPhysicalDeviceMemoryProperties properties{};
    vkGetPhysicalDeviceMemoryProperties(context.physical_device, &properties);
    uint32_t visible = 0;
    for (uint32_t i = 0; i < properties.memoryTypeCount; ++i) {
        if ((properties.memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0) {
            visible |= allowed & 1U << i;
        }
    }
    return visible != 0 ? visible : allowed;
}

} // namespace

Buffer::Buffer(const VulkanContext& context, VkDeviceSize bytes, VkMemoryPropertyFlags memory_flags)
    : size(bytes), context_(context) {
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = bytes,
        .usage = both_ways,
    };
    FB_VK(vkCreateBuffer(context.device, &info, nullptr, &buffer));
    VkMemoryRequirements needs{};
    vkGetBufferMemoryRequirements(context.device, buffer, &needs);
    const VkMemoryAllocateInfo memory_info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = needs.size,
        .memoryTypeIndex = context.memory_type(needs.memoryTypeBits, memory_flags),
    };
    FB_VK(vkAllocateMemory(context.device, &memory_info, nullptr, &memory_));
    FB_VK(vkBindBufferMemory(context.device, buffer, memory_, 0));
    if ((memory_flags & VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT) != 0) {
        void* pointer = nullptr;
        FB_VK(vkMapMemory(context.device, memory_, 0, VK_WHOLE_SIZE, 0, &pointer));
        mapped = static_cast<uint32_t*>(pointer);
    }
}

Buffer::~Buffer() {
    vkDestroyBuffer(context_.device, buffer, nullptr);
    vkFreeMemory(context_.device, memory_, nullptr);
}

SharedBuffer::SharedBuffer(const VulkanContext& context, Extent size, Kind what)
    : kind(what), extent(size), context_(context) {
    make(-1);
}

SharedBuffer::SharedBuffer(const VulkanContext& context, Extent size, int imported, Kind what)
    : kind(what), extent(size), context_(context) {
    make(imported);
}

void SharedBuffer::make_resource() {
    if (kind == Kind::Buffer) {
        const VkExternalMemoryBufferCreateInfo external{
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
            .handleTypes = dma_buf_type,
        };
        const VkBufferCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
            .pNext = &external,
            .size = VkDeviceSize{extent.width} * extent.height * 4,
            .usage = both_ways,
        };
        FB_VK(vkCreateBuffer(context_.device, &info, nullptr, &buffer));
        return;
    }
    const uint64_t linear = 0; // DRM_FORMAT_MOD_LINEAR
    const VkImageDrmFormatModifierListCreateInfoEXT modifiers{
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
        .drmFormatModifierCount = 1,
        .pDrmFormatModifiers = &linear,
    };
    const VkExternalMemoryImageCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .pNext = &modifiers,
        .handleTypes = dma_buf_type,
    };
    const VkImageCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .pNext = &external,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = VK_FORMAT_B8G8R8A8_UNORM,
        .extent = {extent.width, extent.height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT,
        .usage = VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT |
                 VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
    };
    FB_VK(vkCreateImage(context_.device, &info, nullptr, &image));
}

void SharedBuffer::make(int imported) {
    make_resource();
    pitch = extent.width * 4;
    VkMemoryRequirements needs{};
    if (kind == Kind::Buffer) {
        vkGetBufferMemoryRequirements(context_.device, buffer, &needs);
    } else {
        vkGetImageMemoryRequirements(context_.device, image, &needs);
    }
    const VkMemoryDedicatedAllocateInfo dedicated{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .image = image,
        .buffer = buffer,
    };
    const VkExportMemoryAllocateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .pNext = &dedicated,
        .handleTypes = dma_buf_type,
    };
    VkImportMemoryFdInfoKHR import{
        .sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
        .pNext = &dedicated,
        .handleType = dma_buf_type,
        .fd = -1,
    };
    uint32_t allowed = needs.memoryTypeBits;
    if (imported >= 0) {
        VkMemoryFdPropertiesKHR properties{.sType = VK_STRUCTURE_TYPE_MEMORY_FD_PROPERTIES_KHR};
        FB_VK(context_.function<PFN_vkGetMemoryFdPropertiesKHR>("vkGetMemoryFdPropertiesKHR")(
            context_.device, dma_buf_type, imported, &properties));
        allowed &= properties.memoryTypeBits;
        import.fd = ::fcntl(imported, F_DUPFD_CLOEXEC, 3);
        dma_buf = ::fcntl(imported, F_DUPFD_CLOEXEC, 3);
    }
    const void* const origin = imported >= 0 ? static_cast<const void*>(&import) : &exported;
    const VkMemoryAllocateFlagsInfo group{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
        .pNext = origin,
        .flags = VK_MEMORY_ALLOCATE_DEVICE_MASK_BIT,
        .deviceMask = 1,
    };
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = context_.is_device_group ? &group : origin,
        .allocationSize = needs.size,
        .memoryTypeIndex = context_.memory_type(visible_ones(context_, allowed), 0),
    };
    FB_VK(vkAllocateMemory(context_.device, &info, nullptr, &memory));
    bind();
    if (kind == Kind::Image) {
        const VkImageSubresource plane{.aspectMask = VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT};
        VkSubresourceLayout layout{};
        vkGetImageSubresourceLayout(context_.device, image, &plane, &layout);
        offset = static_cast<uint32_t>(layout.offset);
        pitch = static_cast<uint32_t>(layout.rowPitch);
    }
    if (imported < 0) {
        const VkMemoryGetFdInfoKHR fd_info{
            .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
            .memory = memory,
            .handleType = dma_buf_type,
        };
        FB_VK(context_.function<PFN_vkGetMemoryFdKHR>("vkGetMemoryFdKHR")(context_.device, &fd_info,
                                                                          &dma_buf));
    }
    map();
}

void SharedBuffer::bind() const {
    const uint32_t device_index = 0;
    if (kind == Kind::Buffer) {
        const VkBindBufferMemoryDeviceGroupInfo group{
            .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_DEVICE_GROUP_INFO,
            .deviceIndexCount = 1,
            .pDeviceIndices = &device_index,
        };
        const VkBindBufferMemoryInfo info{
            .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO,
            .pNext = &group,
            .buffer = buffer,
            .memory = memory,
        };
        FB_VK(context_.is_device_group ? vkBindBufferMemory2(context_.device, 1, &info)
                                       : vkBindBufferMemory(context_.device, buffer, memory, 0));
        return;
    }
    const VkBindImageMemoryDeviceGroupInfo group{
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_DEVICE_GROUP_INFO,
        .deviceIndexCount = 1,
        .pDeviceIndices = &device_index,
    };
    const VkBindImageMemoryInfo info{
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
        .pNext = &group,
        .image = image,
        .memory = memory,
    };
    FB_VK(context_.is_device_group ? vkBindImageMemory2(context_.device, 1, &info)
                                   : vkBindImageMemory(context_.device, image, memory, 0));
}

void SharedBuffer::map() {
    const size_t bytes = size_t{pitch} * (extent.height - 1) + size_t{extent.width} * 4;
    mapping_size_ = offset + bytes;
    mapping_ = ::mmap(nullptr, mapping_size_, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
    if (mapping_ == MAP_FAILED) {
        std::fprintf(stderr, "mmap of a dma-buf: %s\n", std::strerror(errno));
        std::abort();
    }
    words = {reinterpret_cast<uint32_t*>(static_cast<std::byte*>(mapping_) + offset), bytes / 4};
}

SharedBuffer::~SharedBuffer() {
    ::munmap(mapping_, mapping_size_);
    ::close(dma_buf);
    vkDestroyBuffer(context_.device, buffer, nullptr);
    vkDestroyImage(context_.device, image, nullptr);
    vkFreeMemory(context_.device, memory, nullptr);
}

uint32_t SharedBuffer::content() const {
    const volatile uint32_t* const seen = words.data();
    const uint32_t first = seen[0];
    const uint32_t last = seen[words.size() - 1];
    return first == last ? first : 0;
}

void SharedBuffer::fill_on_cpu(uint32_t value) const {
    std::fill(words.begin(), words.end(), value);
}

} // namespace fencebridge::test
