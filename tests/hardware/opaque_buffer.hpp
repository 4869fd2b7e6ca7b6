// A VkBuffer on memory that somebody else allocated, imported as OPAQUE_FD.
#pragma once

#include "hardware/cuda_memory.hpp"
#include "support/vulkan_commands.hpp"
#include "support/vulkan_context.hpp"

#include <cstdint>

namespace fencebridge::test {

/// Covers all of `memory`, which must live longer.
class OpaqueBuffer {
public:
    /// Throws std::runtime_error where Vulkan takes the memory as none of its memory types.
    OpaqueBuffer(const VulkanContext& context, const CudaMemory& memory);
    ~OpaqueBuffer();
    OpaqueBuffer(const OpaqueBuffer&) = delete;
    OpaqueBuffer& operator=(const OpaqueBuffer&) = delete;

    /// Records: taken over from EXTERNAL, every word becomes `value`, handed back to EXTERNAL; in
    /// order behind all that was recorded before.
    void record_write(const CommandBuffer& commands, uint32_t value) const;

private:
    void transfer(const CommandBuffer& commands, uint32_t from, uint32_t to) const;

    const VulkanContext& context_;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
};

} // namespace fencebridge::test
