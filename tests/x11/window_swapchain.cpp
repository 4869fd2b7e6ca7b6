#include "x11/window_swapchain.hpp"

#include "support/presented_frame.hpp"

#include <vulkan/vulkan.h>

namespace fencebridge::test {

WindowSwapchain::WindowSwapchain(const VulkanContext& context, VkSurfaceKHR surface,
                                 Extent its_extent, VkPresentModeKHR mode, VkSwapchainKHR old)
    : TestSwapchain(context, surface, {.extent = its_extent, .mode = mode, .old = old}),
      context_(context) {
    for (size_t i = 0; i < images.size(); ++i) {
        commands_.emplace_back(context);
    }
}

WindowSwapchain::~WindowSwapchain() {
    vkQueueWaitIdle(context_.queue);
}

VkResult WindowSwapchain::clear_and_present(uint32_t index, VkFence done, uint64_t id,
                                            const LongWork* work,
                                            std::chrono::milliseconds duration) {
    CommandBuffer& commands = commands_.at(index);
    record_picture(commands, images.at(index), 0x40800000U + index * 60, work, duration);
    const VkPresentIdKHR with_id{
        .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
        .swapchainCount = 1,
        .pPresentIds = &id,
    };
    return try_present(commands, index, done, id != 0 ? &with_id : nullptr);
}

VkResult WindowSwapchain::show_frame(uint64_t id) {
    uint32_t index = 0;
    const VkResult acquired = try_acquire(index);
    if (acquired < 0) {
        return acquired;
    }
    const VkResult presented = clear_and_present(index, VK_NULL_HANDLE, id);
    return presented < 0 || acquired == VK_SUCCESS ? presented : acquired;
}

} // namespace fencebridge::test
