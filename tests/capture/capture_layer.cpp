// A layer of another's making above ours: a capture tool, in the manner of those that stream games.
// It copies every presented image into one exported image. Of what sharing needs it enables
// VK_KHR_external_memory_fd alone, and its reader gets no fence.
//
// It knows one instance and one device at a time, as the test has them, and one thread.
#include "capture/capture.hpp"
#include "support/test_layer.hpp"

#include <vulkan/utility/vk_dispatch_table.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan_core.h>

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace fencebridge::test {

namespace {

struct Layer {
    CapturedDevice device;
    std::unique_ptr<Capture> capture; ///< null where no reader is named
    std::map<VkSwapchainKHR, std::vector<VkImage>> swapchains;
};

Layer& layer() {
    static auto* const one = new Layer;
    return *one;
}

/// Tells whose function comes after ours: the test asks that of the order of the layers.
void report_next(PFN_vkGetDeviceProcAddr next) {
    Dl_info library{};
    const bool is_known = ::dladdr(reinterpret_cast<const void*>(next), &library) != 0;
    std::fprintf(stderr, "capture: next is %s\n", is_known ? library.dli_fname : "unknown");
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* created) {
    std::vector<const char*> extensions(
        info->ppEnabledExtensionNames, info->ppEnabledExtensionNames + info->enabledExtensionCount);
    extensions.push_back(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME);
    VkDeviceCreateInfo ours = *info;
    ours.enabledExtensionCount = static_cast<uint32_t>(extensions.size());
    ours.ppEnabledExtensionNames = extensions.data();
    const VkResult result = create_below(physical_device, *info, ours, allocator, created);
    if (result != VK_SUCCESS) {
        return result;
    }
    report_next(next_layer().device_functions);

    CapturedDevice& device = layer().device;
    device.handle = *created;
    vkuInitDeviceDispatchTable(*created, &device.next, next_layer().device_functions);
    device.set_loader_data = next_layer().set_loader_data;
    // The last one: where there are several, the application presents on another.
    device.queue_family = info->pQueueCreateInfos[0].queueFamilyIndex;
    device.queue_index = info->pQueueCreateInfos[0].queueCount - 1;
    if (const char* const socket = std::getenv(capture_socket_variable)) {
        layer().capture = std::make_unique<Capture>(device, std::atoi(socket));
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroyDevice(VkDevice device, const VkAllocationCallbacks* allocator) {
    layer().capture.reset();
    layer().device.next.DestroyDevice(device, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateSwapchainKHR(VkDevice device,
                                                  const VkSwapchainCreateInfoKHR* info,
                                                  const VkAllocationCallbacks* allocator,
                                                  VkSwapchainKHR* swapchain) {
    const VkuDeviceDispatchTable& next = layer().device.next;
    VkSwapchainCreateInfoKHR ours = *info;
    ours.imageUsage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    const VkResult result = next.CreateSwapchainKHR(device, &ours, allocator, swapchain);
    if (result == VK_SUCCESS && info->imageExtent.width == capture_width &&
        info->imageExtent.height == capture_height) {
        std::vector<VkImage>& images = layer().swapchains[*swapchain];
        uint32_t count = 0;
        next.GetSwapchainImagesKHR(device, *swapchain, &count, nullptr);
        images.resize(count);
        next.GetSwapchainImagesKHR(device, *swapchain, &count, images.data());
    }
    return result;
}

VKAPI_ATTR void VKAPI_CALL DestroySwapchainKHR(VkDevice device, VkSwapchainKHR swapchain,
                                               const VkAllocationCallbacks* allocator) {
    layer().swapchains.erase(swapchain);
    layer().device.next.DestroySwapchainKHR(device, swapchain, allocator);
}

VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    const auto swapchain = layer().swapchains.find(info->pSwapchains[0]);
    if (layer().capture == nullptr || swapchain == layer().swapchains.end()) {
        return layer().device.next.QueuePresentKHR(queue, info);
    }
    const VkSemaphore copied =
        layer().capture->copy(swapchain->second.at(info->pImageIndices[0]),
                              {info->pWaitSemaphores, info->waitSemaphoreCount});
    VkPresentInfoKHR ours = *info;
    ours.waitSemaphoreCount = 1;
    ours.pWaitSemaphores = &copied;
    return layer().device.next.QueuePresentKHR(queue, &ours);
}

} // namespace

PFN_vkVoidFunction layer_function(std::string_view name) {
    static const std::map<std::string_view, PFN_vkVoidFunction> all = {
        {"vkCreateDevice", untyped(&CreateDevice)},
        {"vkDestroyDevice", untyped(&DestroyDevice)},
        {"vkCreateSwapchainKHR", untyped(&CreateSwapchainKHR)},
        {"vkDestroySwapchainKHR", untyped(&DestroySwapchainKHR)},
        {"vkQueuePresentKHR", untyped(&QueuePresentKHR)},
    };
    const auto found = all.find(name);
    return found != all.end() ? found->second : nullptr;
}

} // namespace fencebridge::test
