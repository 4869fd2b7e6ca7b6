// One image of an owned swapchain: exportable memory, its dma-buf, and how its pixels lie in it.
#pragma once

#include "dispatch/device.hpp"
#include "handoff/shared_memory.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <vector>

namespace fencebridge {

/// What every image of a swapchain is made from.
struct ImageParameters {
    VkImageCreateInfo info{};           ///< without tiling and chain
    std::vector<VkFormat> view_formats; ///< of a mutable swapchain
    std::vector<uint64_t> modifiers;    ///< the driver chooses of them; none: linear
};

/// How the pixels lie in the dma-buf.
struct ImageLayout {
    /// DRM_FORMAT_MOD_INVALID: linear, but nobody says so.
    uint64_t modifier = 0;
    struct Plane {
        uint32_t offset = 0; ///< bytes
        uint32_t pitch = 0;  ///< bytes
    };
    std::vector<Plane> planes;
};

/// Not copied, not moved: it stands in its swapchain. destroy() before it goes.
class SwapchainImage {
public:
    SwapchainImage() = default;
    SwapchainImage(const SwapchainImage&) = delete;
    SwapchainImage& operator=(const SwapchainImage&) = delete;

    /// With one of the modifiers. What was made before a failure is left to destroy().
    VkResult make(const Device& device, const ImageParameters& parameters,
                  const VkAllocationCallbacks* allocator);
    void destroy(const Device& device, const VkAllocationCallbacks* allocator);

    VkImage image() const { return image_; }
    const SharedMemoryRef& memory() const { return shared_; }
    VkDeviceMemory memory_handle() const { return memory_; }
    const ImageLayout& layout() const { return layout_; }
    VkExtent2D extent() const { return extent_; }

    /// One image more whose pixels lie as this one's do, to be bound to memory_handle().
    VkResult make_alias(const Device& device, const ImageParameters& parameters,
                        const VkAllocationCallbacks* allocator, VkImage* alias) const;

private:
    VkResult make_memory(const Device& device, const VkAllocationCallbacks* allocator);
    VkResult read_layout(const Device& device, const ImageParameters& parameters);

    VkImage image_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    SharedMemoryRef shared_;
    VkExtent2D extent_{};
    ImageLayout layout_;
};

} // namespace fencebridge
