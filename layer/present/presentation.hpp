// vkQueuePresentKHR and the swapchains of one device.
#pragma once

#include "dispatch/device.hpp"
#include "dispatch/present_choice.hpp"
#include "handoff/bridge.hpp"
#include "handoff/striped_map.hpp"
#include "present/private_data.hpp"
#include "present/relay_semaphores.hpp"
#include "present/surface.hpp"
#include "present/swapchain.hpp"
#include "present/waited_present.hpp"
#include "report/log.hpp"

#include <vulkan/vulkan_core.h>

#include <array>
#include <memory>
#include <vector>

namespace fencebridge {

/// Exists for devices whose presents are not all native. Thread-safe by Vulkan's own rules for
/// swapchains and queues.
class Presentation {
public:
    /// Borrowed; both outlive it. `bridge` may be null for a device without owned swapchains.
    Presentation(const Device& device, Bridge* bridge) : device_(device), bridge_(bridge) {}

    /// vkCreateSwapchainKHR: an owned one, whose handle is no driver's; or the driver's, where the
    /// driver knows the surface. `surface`: null where the layer does not know its kind.
    VkResult create(const VkSwapchainCreateInfoKHR& info, const std::shared_ptr<Surface>& surface,
                    const VkAllocationCallbacks* allocator, VkSwapchainKHR* handle);
    /// False where it is the driver's to destroy.
    bool destroy(VkSwapchainKHR handle, const VkAllocationCallbacks* allocator);

    /// Null where it is not ours.
    std::shared_ptr<Swapchain> find(VkSwapchainKHR handle) const {
        return owned_.find(handle).value_or(nullptr);
    }

    VkResult present(VkQueue queue, const VkPresentInfoKHR& info);

    PrivateData private_data; ///< of owned swapchains

private:
    struct Shown {
        uint32_t index; ///< in the call
        std::shared_ptr<Swapchain> swapchain;
        const SwapchainImage* image;
        PresentOrder::Number number = 0; ///< 0: not expected yet
    };
    struct Call;
    PresentMethod choose(Surface* surface);
    VkResult create_owned(const VkSwapchainCreateInfoKHR& info,
                          const std::shared_ptr<Surface>& surface,
                          const VkAllocationCallbacks* allocator, VkSwapchainKHR* handle,
                          const char*& refused);
    VkResult create_without_driver(const VkSwapchainCreateInfoKHR& info,
                                   const std::shared_ptr<Surface>& surface,
                                   const VkAllocationCallbacks* allocator, VkSwapchainKHR* handle);
    /// `surface`: as in create().
    VkResult create_native(const VkSwapchainCreateInfoKHR& info, Surface* surface,
                           PresentMethod method, const VkAllocationCallbacks* allocator,
                           VkSwapchainKHR* handle);
    VkResult present_owned(VkQueue queue, const VkPresentInfoKHR& info, std::vector<Shown> shown);
    VkResult present_behind(VkQueue queue, const VkPresentInfoKHR& info, uint32_t index);

    const Device& device_;
    Bridge* const bridge_;
    std::array<Once, surface_kinds> said_; ///< by SurfaceKind
    std::array<Once, surface_kinds> said_refused_;
    StripedMap<VkSwapchainKHR, std::shared_ptr<Swapchain>> owned_;
    StripedMap<VkSwapchainKHR, std::shared_ptr<WaitedPresent>> waited_;
    /// Of the driver's swapchains that were presented together with ours.
    StripedMap<VkSwapchainKHR, std::shared_ptr<RelaySemaphores>> relays_;
};

} // namespace fencebridge
