// One image of an owned swapchain: exportable memory, its dma-buf, and how its pixels lie in it.
#pragma once

#include "dispatch/device.hpp"
#include "handoff/shared_memory.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <span>
#include <vector>

namespace fencebridge {

/// What every image of a swapchain is made from.
struct ImageParameters {
    VkImageCreateInfo info{};            ///< without tiling and chain
    std::vector<VkFormat> view_formats;  ///< of a mutable swapchain
    std::span<const uint64_t> modifiers; ///< that the window system takes; empty: any
};

/// Not copied, not moved: it stands in its swapchain. destroy() before it goes.
class SwapchainImage {
public:
    SwapchainImage() = default;
    SwapchainImage(const SwapchainImage&) = delete;
    SwapchainImage& operator=(const SwapchainImage&) = delete;

    /// With the best modifier that both sides have; linear where there are none. What was made
    /// before a failure is left to destroy().
    VkResult make(const Device& device, const ImageParameters& parameters,
                  const VkAllocationCallbacks* allocator);
    void destroy(const Device& device, const VkAllocationCallbacks* allocator);

    VkImage image() const { return image_; }
    const SharedMemoryRef& memory() const { return shared_; }
    VkDeviceMemory memory_handle() const { return memory_; }

    /// One image more whose pixels lie as this one's do, to be bound to memory_handle().
    VkResult make_alias(const Device& device, const ImageParameters& parameters,
                        const VkAllocationCallbacks* allocator, VkImage* alias) const;

private:
    VkResult make_memory(const Device& device, const VkAllocationCallbacks* allocator);

    VkImage image_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    SharedMemoryRef shared_;
    std::vector<uint64_t> modifiers_; ///< the one that the driver has chosen; none: linear
};

} // namespace fencebridge
