// A layer above all others that keeps one presented frame as a file: frame $FENCEBRIDGE_FRAME (from
// 1) of the process, as a PPM, in $FENCEBRIDGE_PICTURE. What comes out of an application's own
// drawing can be compared so, frame by frame, also where the next frame is another.
//
// It knows one instance, one device and one thread that presents; the device is idle for that one
// frame. The file appears whole, and not at all where the frame cannot be read.
#include "support/test_layer.hpp"

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fencebridge::test {

namespace {

struct Frames {
    VkFormat format = VK_FORMAT_UNDEFINED;
    VkExtent2D extent = {};
    std::vector<VkImage> images;
};

struct Layer {
    VkDevice device = VK_NULL_HANDLE;
    VkuDeviceDispatchTable next = {};
    VkPhysicalDeviceMemoryProperties memory = {};
    uint32_t queue_family = 0;
    std::map<VkSwapchainKHR, Frames> swapchains;
    unsigned long presented = 0;
};

Layer& layer() {
    static auto* const one = new Layer;
    return *one;
}

bool succeeded(VkResult result, const char* what) {
    if (result < 0) {
        std::fprintf(stderr, "picture layer: %s: error %d\n", what, result);
    }
    return result >= 0;
}
#define TRY(call_)                                                                                 \
    if (!succeeded(call_, #call_)) {                                                               \
        return false;                                                                              \
    }

struct HostBuffer {
    VkBuffer handle = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    const uint8_t* content = nullptr;
};

bool make_host_buffer(VkDeviceSize size, HostBuffer& made) {
    const VkuDeviceDispatchTable& next = layer().next;
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = size,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    };
    TRY(next.CreateBuffer(layer().device, &info, nullptr, &made.handle));
    VkMemoryRequirements needed{};
    next.GetBufferMemoryRequirements(layer().device, made.handle, &needed);
    constexpr VkMemoryPropertyFlags wanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    for (uint32_t type = 0; type < layer().memory.memoryTypeCount; ++type) {
        if ((needed.memoryTypeBits & (1U << type)) == 0 ||
            (layer().memory.memoryTypes[type].propertyFlags & wanted) != wanted) {
            continue;
        }
        const VkMemoryAllocateInfo allocation{
            .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
            .allocationSize = needed.size,
            .memoryTypeIndex = type,
        };
        TRY(next.AllocateMemory(layer().device, &allocation, nullptr, &made.memory));
        TRY(next.BindBufferMemory(layer().device, made.handle, made.memory, 0));
        void* mapped = nullptr;
        TRY(next.MapMemory(layer().device, made.memory, 0, VK_WHOLE_SIZE, 0, &mapped));
        made.content = static_cast<const uint8_t*>(mapped);
        return true;
    }
    return false;
}

void change_layout(VkCommandBuffer commands, VkImage image, VkImageLayout from, VkImageLayout to) {
    const VkImageMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1},
    };
    layer().next.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                                    VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 0, nullptr,
                                    1, &barrier);
}

bool copy(VkQueue queue, const Frames& frames, VkImage image, const HostBuffer& target) {
    const VkuDeviceDispatchTable& next = layer().next;
    const VkCommandPoolCreateInfo pool_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .queueFamilyIndex = layer().queue_family,
    };
    VkCommandPool pool = VK_NULL_HANDLE;
    TRY(next.CreateCommandPool(layer().device, &pool_info, nullptr, &pool));
    const VkCommandBufferAllocateInfo allocation{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    VkCommandBuffer commands = VK_NULL_HANDLE;
    TRY(next.AllocateCommandBuffers(layer().device, &allocation, &commands));
    // A dispatchable handle made below the loader has no table of the loader's yet.
    TRY(next_layer().set_loader_data(layer().device, commands));
    const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    TRY(next.BeginCommandBuffer(commands, &begin));
    change_layout(commands, image, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
                  VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
    const VkBufferImageCopy region{
        .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
        .imageExtent = {frames.extent.width, frames.extent.height, 1},
    };
    next.CmdCopyImageToBuffer(commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, target.handle,
                              1, &region);
    change_layout(commands, image, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                  VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    TRY(next.EndCommandBuffer(commands));
    const VkSubmitInfo submit{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .commandBufferCount = 1,
        .pCommandBuffers = &commands,
    };
    TRY(next.QueueSubmit(queue, 1, &submit, VK_NULL_HANDLE));
    TRY(next.QueueWaitIdle(queue));
    next.DestroyCommandPool(layer().device, pool, nullptr);
    return true;
}

struct Pixels {
    size_t size = 0;                       ///< bytes; 0: a format of which no picture is made
    std::array<unsigned, 3> channels = {}; ///< where red, green and blue lie
};
Pixels pixels_of(VkFormat format) {
    switch (format) {
    case VK_FORMAT_R8G8B8A8_UNORM:
    case VK_FORMAT_R8G8B8A8_SRGB:
    case VK_FORMAT_A8B8G8R8_UNORM_PACK32:
    case VK_FORMAT_A8B8G8R8_SRGB_PACK32:
        return {4, {0, 1, 2}};
    case VK_FORMAT_B8G8R8A8_UNORM:
    case VK_FORMAT_B8G8R8A8_SRGB:
        return {4, {2, 1, 0}};
    case VK_FORMAT_R16G16B16A16_SFLOAT:
        return {8, {0, 2, 4}};
    default:
        return {};
    }
}

/// IEEE 754's 16 bits, without infinities, as a byte: 0 to 1 becomes 0 to 255.
uint8_t byte_of_half(const uint8_t* bytes) {
    const unsigned bits = bytes[0] | bytes[1] << 8U;
    const int exponent = static_cast<int>(bits >> 10U & 31U);
    const unsigned fraction = bits & 1023U;
    const double value =
        exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
    const bool is_negative = (bits & 0x8000U) != 0;
    return static_cast<uint8_t>(is_negative ? 0 : std::lround(std::min(value, 1.0) * 255));
}

bool write_file(const Frames& frames, const HostBuffer& pixels, const std::string& path) {
    const Pixels layout = pixels_of(frames.format);
    std::FILE* const file = std::fopen((path + ".new").c_str(), "wb");
    if (file == nullptr) {
        std::perror(path.c_str());
        return false;
    }
    std::fprintf(file, "P6\n%u %u\n255\n", frames.extent.width, frames.extent.height);
    const size_t count = size_t{frames.extent.width} * frames.extent.height;
    for (size_t pixel = 0; pixel < count; ++pixel) {
        for (const unsigned channel : layout.channels) {
            const uint8_t* const value = pixels.content + layout.size * pixel + channel;
            std::fputc(layout.size == 8 ? byte_of_half(value) : *value, file);
        }
    }
    return std::fclose(file) == 0 && std::rename((path + ".new").c_str(), path.c_str()) == 0;
}

bool keep(VkQueue queue, const VkPresentInfoKHR& info, const std::string& path) {
    const auto found = layer().swapchains.find(info.pSwapchains[0]);
    if (found == layer().swapchains.end()) {
        return false;
    }
    const Frames& frames = found->second;
    const size_t pixel_size = pixels_of(frames.format).size;
    if (pixel_size == 0) {
        std::fprintf(stderr, "picture layer: no picture of format %d\n", frames.format);
        return false;
    }
    // What the present waits for is submitted: then it is done, and its semaphores stay signalled.
    TRY(layer().next.DeviceWaitIdle(layer().device));
    HostBuffer buffer;
    const bool kept =
        make_host_buffer(VkDeviceSize{pixel_size} * frames.extent.width * frames.extent.height,
                         buffer) &&
        copy(queue, frames, frames.images.at(info.pImageIndices[0]), buffer) &&
        write_file(frames, buffer, path);
    layer().next.DestroyBuffer(layer().device, buffer.handle, nullptr);
    layer().next.FreeMemory(layer().device, buffer.memory, nullptr);
    return kept;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
    const VkResult result = create_below(physical_device, *info, *info, allocator, device);
    if (result == VK_SUCCESS) {
        layer().device = *device;
        vkuInitDeviceDispatchTable(*device, &layer().next, next_layer().device_functions);
        layer().queue_family = info->pQueueCreateInfos[0].queueFamilyIndex;
        next_layer().of_instance<PFN_vkGetPhysicalDeviceMemoryProperties>(
            "vkGetPhysicalDeviceMemoryProperties")(physical_device, &layer().memory);
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSwapchainKHR(VkDevice device,
                                                  const VkSwapchainCreateInfoKHR* info,
                                                  const VkAllocationCallbacks* allocator,
                                                  VkSwapchainKHR* swapchain) {
    VkSwapchainCreateInfoKHR readable = *info;
    readable.imageUsage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    const VkuDeviceDispatchTable& next = layer().next;
    const VkResult result = next.CreateSwapchainKHR(device, &readable, allocator, swapchain);
    if (result == VK_SUCCESS) {
        Frames& frames = layer().swapchains[*swapchain];
        frames = {info->imageFormat, info->imageExtent, {}};
        uint32_t count = 0;
        next.GetSwapchainImagesKHR(device, *swapchain, &count, nullptr);
        frames.images.resize(count);
        next.GetSwapchainImagesKHR(device, *swapchain, &count, frames.images.data());
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroySwapchainKHR(VkDevice device, VkSwapchainKHR swapchain,
                                               const VkAllocationCallbacks* allocator) {
    layer().swapchains.erase(swapchain);
    layer().next.DestroySwapchainKHR(device, swapchain, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    const char* const path = std::getenv("FENCEBRIDGE_PICTURE");
    const char* const frame = std::getenv("FENCEBRIDGE_FRAME");
    if (path != nullptr && frame != nullptr &&
        ++layer().presented == std::strtoul(frame, nullptr, 10) && !keep(queue, *info, path)) {
        std::fprintf(stderr, "picture layer: frame %s is not kept\n", frame);
    }
    return layer().next.QueuePresentKHR(queue, info);
}

} // namespace

PFN_vkVoidFunction layer_function(std::string_view name) {
    static const std::map<std::string_view, PFN_vkVoidFunction> all = {
        {"vkCreateDevice", untyped(&CreateDevice)},
        {"vkCreateSwapchainKHR", untyped(&CreateSwapchainKHR)},
        {"vkDestroySwapchainKHR", untyped(&DestroySwapchainKHR)},
        {"vkQueuePresentKHR", untyped(&QueuePresentKHR)},
    };
    const auto found = all.find(name);
    return found != all.end() ? found->second : nullptr;
}

} // namespace fencebridge::test
