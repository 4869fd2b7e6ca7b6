// One swapchain's part of a vkQueuePresentKHR for several.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>

namespace fencebridge {

/// A present of one of the swapchains alone, for the driver, where others of the same call are
/// ours. What the specification hangs on VkPresentInfoKHR with an element for each swapchain is cut
/// to this one's; what it does not know is left out. Lives no longer than the call's own structure.
class SinglePresent {
public:
    /// Swapchain number `index` of `all`, behind `wait`.
    SinglePresent(const VkPresentInfoKHR& all, uint32_t index, const VkSemaphore& wait);
    SinglePresent(const SinglePresent&) = delete;
    SinglePresent& operator=(const SinglePresent&) = delete;

    const VkPresentInfoKHR& info() const { return info_; }

private:
    template<typename Structure, typename Element>
    void cut(const VkPresentInfoKHR& all, VkStructureType type, Structure& copy,
             const Element* Structure::* array, uint32_t index);

    VkPresentInfoKHR info_;
    VkDeviceGroupPresentInfoKHR devices_{};
    VkDisplayPresentInfoKHR display_{};
    VkPresentIdKHR id_{};
#ifdef VK_KHR_present_id2
    VkPresentId2KHR id_2_{};
#endif
    VkPresentRegionsKHR regions_{};
    VkPresentTimesInfoGOOGLE times_{};
    VkSwapchainPresentFenceInfoEXT fence_{};
    VkSwapchainPresentModeInfoEXT mode_{};
};

} // namespace fencebridge
