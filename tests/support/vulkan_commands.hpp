// Command buffers: long work, ownership transfers, submits of both generations.
#pragma once

#include "support/vulkan_context.hpp"
#include "support/vulkan_memory.hpp"

#include <chrono>
#include <cstdint>
#include <memory>

namespace fencebridge::test {

/// Which generation of barrier and submit commands a test uses.
enum class Commands : uint8_t { Vulkan10, Synchronization2 };

constexpr VkImageSubresourceRange whole_image{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};

/// A word of a B8G8R8A8 image as what clears it: its bytes from the lowest are blue, green, red and
/// alpha.
constexpr VkClearColorValue colour_of(uint32_t word) {
    const auto channel = [&](uint32_t shift) {
        return static_cast<float>(word >> shift & 0xffU) / 255.0F;
    };
    return {{channel(16), channel(8), channel(0), channel(24)}};
}

/// One recorded command buffer, freed with the object.
class CommandBuffer {
public:
    /// `pool`: another than the context's own.
    explicit CommandBuffer(const VulkanContext& context,
                           Commands its_generation = Commands::Vulkan10,
                           VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                           VkCommandPool pool = VK_NULL_HANDLE);
    ~CommandBuffer();
    CommandBuffer(const CommandBuffer&) = delete;
    CommandBuffer& operator=(const CommandBuffer&) = delete;

    VkCommandBuffer handle = VK_NULL_HANDLE;
    const Commands generation;

    void begin(VkCommandBufferUsageFlags flags = 0);
    void end();
    void execute(const CommandBuffer& secondary);

    /// Ownership transfer from `family` (EXTERNAL or FOREIGN) to queue family 0; `access` is what
    /// comes after. `discard`: oldLayout UNDEFINED (images).
    void acquire(const SharedBuffer& shared, uint32_t family, VkAccessFlags access,
                 bool discard = false);
    /// The other way; `access` is what came before.
    void release(const SharedBuffer& shared, uint32_t family, VkAccessFlags access);

    /// Every word of `shared` becomes `value`, in order behind all that was recorded before.
    void fill(const SharedBuffer& shared, uint32_t value);
    /// The first word of `shared` is copied to the first of `target`.
    void copy_first_word(const SharedBuffer& shared, const Buffer& target);
    /// A layout transition that stays with this queue family, in order behind all that was recorded
    /// before and ahead of all that follows.
    void change_layout(VkImage image, VkImageLayout from, VkImageLayout to);
    /// Everything recorded so far happens before everything that follows.
    void full_barrier();

private:
    /// Of a buffer or of an image.
    struct Barrier {
        VkBuffer buffer = VK_NULL_HANDLE;
        VkImage image = VK_NULL_HANDLE;
        uint32_t from_family = VK_QUEUE_FAMILY_IGNORED;
        uint32_t to_family = VK_QUEUE_FAMILY_IGNORED;
        VkAccessFlags before = 0;
        VkAccessFlags after = 0;
        VkImageLayout from_layout = VK_IMAGE_LAYOUT_GENERAL;
        VkImageLayout to_layout = VK_IMAGE_LAYOUT_GENERAL;
    };
    template<typename Made>
    static Made made_of(VkStructureType type, const Barrier& barrier);
    void record(const Barrier& barrier);

    const VulkanContext& context_;
    VkCommandPool pool_;
};

/// GPU work of a chosen length: fills of a scratch buffer, calibrated on this device.
class LongWork {
public:
    explicit LongWork(const VulkanContext& context);

    /// Records work that takes about `duration` on an idle device, and its ordering before whatever
    /// is recorded next.
    void record(CommandBuffer& commands, std::chrono::milliseconds duration) const;

private:
    const VulkanContext& context_;
    std::unique_ptr<Buffer> scratch_;
    double milliseconds_per_fill_ = 1;
};

struct SubmitSemaphores {
    VkSemaphore wait = VK_NULL_HANDLE;
    uint64_t wait_value = 0; ///< of a timeline semaphore
    VkSemaphore signal = VK_NULL_HANDLE;
    uint64_t signal_value = 0;
    bool timelines = false;
};

/// One batch of one command buffer, by the submit command of its generation.
VkResult submit(VkQueue queue, const CommandBuffer& commands, VkFence fence = VK_NULL_HANDLE,
                const SubmitSemaphores& semaphores = {});

/// A binary semaphore, destroyed with the object.
class Semaphore {
public:
    explicit Semaphore(const VulkanContext& context);
    ~Semaphore();
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    VkSemaphore handle = VK_NULL_HANDLE;

private:
    const VulkanContext& context_;
};

/// A fence, destroyed with the object.
class Fence {
public:
    explicit Fence(const VulkanContext& context);
    ~Fence();
    Fence(const Fence&) = delete;
    Fence& operator=(const Fence&) = delete;

    VkFence handle = VK_NULL_HANDLE;

    VkResult wait(std::chrono::nanoseconds timeout = std::chrono::seconds(60)) const;
    VkResult status() const;
    void reset() const;

private:
    const VulkanContext& context_;
};

} // namespace fencebridge::test
