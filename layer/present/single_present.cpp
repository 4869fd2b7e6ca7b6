#include "present/single_present.hpp"

#include "dispatch/chain.hpp"

namespace fencebridge {

/// Puts a copy of the structure, if `all` has it, with element `index` alone, in front of the
/// chain.
template<typename Structure, typename Element>
void SinglePresent::cut(const VkPresentInfoKHR& all, VkStructureType type, Structure& copy,
                        const Element* Structure::* array, uint32_t index) {
    const auto* original = find_in_chain<Structure>(all.pNext, type);
    if (original == nullptr) {
        return;
    }
    copy = *original;
    copy.swapchainCount = 1;
    if (copy.*array != nullptr) {
        copy.*array += index;
    }
    copy.pNext = const_cast<void*>(info_.pNext); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    info_.pNext = &copy;
}

SinglePresent::SinglePresent(const VkPresentInfoKHR& all, uint32_t index, const VkSemaphore& wait)
    : info_{
          .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
          .waitSemaphoreCount = 1,
          .pWaitSemaphores = &wait,
          .swapchainCount = 1,
          .pSwapchains = all.pSwapchains + index,
          .pImageIndices = all.pImageIndices + index,
          .pResults = all.pResults != nullptr ? all.pResults + index : nullptr,
      } {
    cut(all, VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR, devices_,
        &VkDeviceGroupPresentInfoKHR::pDeviceMasks, index);
    cut(all, VK_STRUCTURE_TYPE_PRESENT_ID_KHR, id_, &VkPresentIdKHR::pPresentIds, index);
#ifdef VK_KHR_present_id2
    cut(all, VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR, id_2_, &VkPresentId2KHR::pPresentIds, index);
#endif
    cut(all, VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR, regions_, &VkPresentRegionsKHR::pRegions,
        index);
    cut(all, VK_STRUCTURE_TYPE_PRESENT_TIMES_INFO_GOOGLE, times_, &VkPresentTimesInfoGOOGLE::pTimes,
        index);
    cut(all, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT, fence_,
        &VkSwapchainPresentFenceInfoEXT::pFences, index);
    cut(all, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT, mode_,
        &VkSwapchainPresentModeInfoEXT::pPresentModes, index);
    if (const auto* display = find_in_chain<VkDisplayPresentInfoKHR>(
            all.pNext, VK_STRUCTURE_TYPE_DISPLAY_PRESENT_INFO_KHR)) {
        display_ = *display;
        display_.pNext = info_.pNext;
        info_.pNext = &display_;
    }
}

} // namespace fencebridge
