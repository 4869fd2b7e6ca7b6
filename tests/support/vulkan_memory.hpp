// Buffers, images and the dma-bufs behind them.
#pragma once

#include "support/vulkan_context.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace fencebridge::test {

/// A VkBuffer with its own memory; `mapped` where it is host-visible.
class Buffer {
public:
    Buffer(const VulkanContext& context, VkDeviceSize size, VkMemoryPropertyFlags memory_flags);
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    VkBuffer buffer = VK_NULL_HANDLE;
    VkDeviceSize size = 0;
    uint32_t* mapped = nullptr;

private:
    const VulkanContext& context_;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
};

/// Width and height in pixels of 32 bits; a buffer holds the rows without gaps.
struct Extent {
    uint32_t width = 0;
    uint32_t height = 1;
};

/// A VkBuffer, or a linear VkImage, in exported or imported dma-buf memory, seen by the CPU through
/// the dma-buf's own mapping (as a consumer sees it). On a device group its memory and its bind say
/// so.
class SharedBuffer {
public:
    enum class Kind : uint8_t { Buffer, Image };

    /// Exports.
    SharedBuffer(const VulkanContext& context, Extent extent, Kind kind = Kind::Buffer);
    /// Imports `dma_buf` (borrowed).
    SharedBuffer(const VulkanContext& context, Extent extent, int dma_buf,
                 Kind kind = Kind::Buffer);
    ~SharedBuffer();
    SharedBuffer(const SharedBuffer&) = delete;
    SharedBuffer& operator=(const SharedBuffer&) = delete;

    Kind kind = Kind::Buffer;
    VkBuffer buffer = VK_NULL_HANDLE;
    VkImage image = VK_NULL_HANDLE;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    Extent extent;
    uint32_t pitch = 0;        ///< bytes from row to row
    uint32_t offset = 0;       ///< bytes to the first row
    int dma_buf = -1;          ///< owned
    std::span<uint32_t> words; ///< the dma-buf from the first row on, mapped

    /// The first and the last pixel, where they agree; else 0.
    uint32_t content() const;
    void fill_on_cpu(uint32_t value) const;

private:
    void make(int imported);
    void make_resource();
    void bind() const;
    void map();

    const VulkanContext& context_;
    void* mapping_ = nullptr;
    size_t mapping_size_ = 0;
};

} // namespace fencebridge::test
