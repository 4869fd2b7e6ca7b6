// What the capture layer does on a device: one exported image, into which it copies every presented
// one.
#pragma once

#include "capture/protocol.hpp"

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

#include <map>
#include <span>

namespace fencebridge::test {

/// A device as vkCreateDevice has just made it.
struct CapturedDevice {
    VkDevice handle = VK_NULL_HANDLE;
    VkuDeviceDispatchTable next{};
    PFN_vkSetDeviceLoaderData set_loader_data = nullptr;
    uint32_t queue_family = 0;
    uint32_t queue_index = 0;
};

/// Every function ends the process with a message where Vulkan refuses something. One thread.
class Capture {
public:
    /// Fetches the queue, exports the image, sends it through `socket`, and only then submits for
    /// the first time: a frame 0.
    Capture(const CapturedDevice& device, int socket);
    ~Capture();
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    /// Submits a copy of `presented`, behind the semaphores that its present waits for. Returns the
    /// one that the present has to wait for instead.
    VkSemaphore copy(VkImage presented, std::span<const VkSemaphore> waits);

private:
    /// What a submit needs until it is done; one for every presented image.
    struct Slot {
        VkCommandBuffer commands = VK_NULL_HANDLE;
        VkFence done = VK_NULL_HANDLE;
        VkSemaphore copied = VK_NULL_HANDLE;
    };

    void make_image();
    void make_scratch();
    void send_image(int socket);
    VkDeviceMemory allocate(const VkMemoryRequirements& needs, const void* next) const;
    Slot make_slot() const;
    void begin(const Slot& slot) const;
    void record_copy(const Slot& slot, VkImage presented) const;
    void full_barrier(VkCommandBuffer commands) const;
    void submit(const Slot& slot, std::span<const VkSemaphore> waits, bool signals);

    const CapturedDevice& device_;
    const VkuDeviceDispatchTable& next_;
    VkQueue queue_ = VK_NULL_HANDLE;
    VkImage image_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    VkBuffer scratch_ = VK_NULL_HANDLE;
    VkDeviceMemory scratch_memory_ = VK_NULL_HANDLE;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    std::map<VkImage, Slot> slots_; ///< by presented image; frame 0 has the captured one's
    Submits* submits_ = nullptr;
    uint32_t submits_on_bare_queue_ = 0; ///< one without the loader's data
};

} // namespace fencebridge::test
