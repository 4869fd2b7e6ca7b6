// A client of a compositor: a device with a window, and what it draws there.
#pragma once

#include "driver/driver_test.hpp"
#include "support/presented_frame.hpp"
#include "support/swapchain.hpp"
#include "support/wayland_window.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace fencebridge::test {

constexpr Extent window_size{256, 192};

/// With swapchains of ours where the layer is there.
struct Client {
    explicit Client(Layers layers, ContextOptions options = {})
        : context([&] {
              options.layers = layers;
              options.shares_memory = false;
              options.settings.emplace_back("PRESENT", "owned");
              const auto append = [](auto& to, const auto& more) {
                  to.insert(to.end(), more.begin(), more.end());
              };
              const ContextOptions more = options;
              options = with_wayland(options);
              append(options.instance_extensions, more.instance_extensions);
              append(options.device_extensions, more.device_extensions);
              return options;
          }()) {}

    bool has_mode(VkPresentModeKHR mode) const {
        std::vector<VkPresentModeKHR> modes(16);
        auto count = static_cast<uint32_t>(modes.size());
        FB_VK(vkGetPhysicalDeviceSurfacePresentModesKHR(context.physical_device, surface.handle,
                                                        &count, modes.data()));
        modes.resize(count);
        return std::find(modes.begin(), modes.end(), mode) != modes.end();
    }

    VulkanContext context;
    WaylandDisplay display;
    WaylandWindow window{display, "a window"};
    WaylandVkSurface surface{context, display, window};
};

/// One colour on each image of a swapchain, recorded once.
struct Pictures {
    Pictures(const VulkanContext& context, const TestSwapchain& swapchain) {
        for (VkImage image : swapchain.images) {
            record_picture(*commands.emplace_back(std::make_unique<CommandBuffer>(context)), image,
                           new_value);
        }
    }
    std::vector<std::unique_ptr<CommandBuffer>> commands;
};

/// `chain`: of the present.
inline void show(const TestSwapchain& swapchain, const Pictures& pictures,
                 const void* chain = nullptr) {
    const uint32_t index = swapchain.acquire();
    swapchain.present(*pictures.commands.at(index), index, VK_NULL_HANDLE, chain);
}

/// Presents a picture that takes `duration` to draw, and gives what `look` sees before it is drawn;
/// `look` is given the fence of the drawing. Its
/// present waits for a semaphore where that can show anything: lavapipe waits for a present's
/// semaphores in the call, and there the queue's order has to do (which validation does not know).
template<typename Look>
auto present_long_work(const VulkanContext& context, Layers layers, const TestSwapchain& swapchain,
                       std::chrono::milliseconds duration, Look&& look) {
    const bool by_semaphore =
        context.driver != VK_DRIVER_ID_MESA_LLVMPIPE || layers != Layers::Bridge;
    const LongWork work(context);
    CommandBuffer commands(context);
    const uint32_t index = swapchain.acquire();
    record_picture(commands, swapchain.images.at(index), new_value, &work, duration);
    const Fence drawn(context);
    FB_VK(swapchain.try_present(commands, index, drawn.handle, nullptr, by_semaphore));
    auto seen = std::forward<Look>(look)(drawn);
    FB_VK(drawn.wait());
    FB_VK(vkQueueWaitIdle(context.queue));
    return seen;
}

/// Draws a picture on an image of each swapchain, behind `work` where there is some, and shows both
/// by one present, each with its result.
inline void present_both(const VulkanContext& context, CommandBuffer& commands,
                         const TestSwapchain& one, const TestSwapchain& other,
                         const LongWork* work = nullptr) {
    const std::array indices{one.acquire(), other.acquire()};
    const VkClearColorValue colour = colour_of(new_value);
    commands.begin();
    if (work != nullptr) {
        work->record(commands, long_work);
    }
    for (VkImage image : {one.images.at(indices[0]), other.images.at(indices[1])}) {
        commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED,
                               VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        vkCmdClearColorImage(commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour,
                             1, &whole_image);
        commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                               VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    }
    commands.end();
    const VkSemaphore drawn = one.drawn(indices[0]);
    FB_VK(submit(context.queue, commands, VK_NULL_HANDLE, {.signal = drawn}));
    const std::array swapchains{one.handle, other.handle};
    std::array results{VK_NOT_READY, VK_NOT_READY};
    const VkPresentInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .waitSemaphoreCount = 1,
        .pWaitSemaphores = &drawn,
        .swapchainCount = 2,
        .pSwapchains = swapchains.data(),
        .pImageIndices = indices.data(),
        .pResults = results.data(),
    };
    EXPECT_GE(vkQueuePresentKHR(context.queue, &info), 0);
    EXPECT_GE(results[0], 0);
    EXPECT_GE(results[1], 0);
}

} // namespace fencebridge::test
