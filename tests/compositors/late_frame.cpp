// A client whose second picture takes long to draw. Prints, as JSON, whether the compositor took
// the picture before it was drawn, and whether the present waited for it.
#include "support/lesser_machine.hpp"
#include "support/presented_frame.hpp"
#include "support/swapchain.hpp"
#include "support/wayland_window.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

using namespace fencebridge::test;

constexpr std::chrono::milliseconds drawing{1500};
constexpr std::chrono::seconds patience{20};

} // namespace

/// late-frame [without-attaching]
int main(int argc, char** argv) {
    const bool attaches = argc < 2 || std::string(argv[1]) != "without-attaching";
    const VulkanContext context(with_wayland({.shares_memory = false}));
    const WaylandDisplay display;
    WaylandWindow window(display, "late frame");
    const WaylandVkSurface surface(context, display, window);
    const TestSwapchain swapchain(context, surface.handle, {.extent = {256, 256}});
    const LongWork work(context);
    CommandBuffer soon(context);
    CommandBuffer late(context);

    uint32_t index = swapchain.acquire();
    record_picture(soon, swapchain.images.at(index), 0x00808080);
    window.watch_next_frame();
    swapchain.present(soon, index);
    if (!window.wait_for_frame(patience)) {
        std::fprintf(stderr, "the compositor never took the first picture\n");
        return 1;
    }

    if (!attaches) {
        if (const std::string problem = without_attaching(); !problem.empty()) {
            std::fprintf(stderr, "%s\n", problem.c_str());
            return 1;
        }
    }
    index = swapchain.acquire();
    record_picture(late, swapchain.images.at(index), 0x00ffffff, &work, drawing);
    const Fence drawn(context);
    window.watch_next_frame();
    // By the queue's order alone: lavapipe waits for a present's semaphores in the call.
    const VkResult presented = swapchain.try_present(late, index, drawn.handle, nullptr,
                                                     context.driver != VK_DRIVER_ID_MESA_LLVMPIPE);
    const bool present_waited = drawn.status() == VK_SUCCESS;
    const bool was_taken = window.wait_for_frame(patience);
    const bool taken_early = was_taken && drawn.status() != VK_SUCCESS;
    FB_VK(drawn.wait());
    vkDeviceWaitIdle(context.device);
    std::cout << nlohmann::json{{"presented",
                                 presented == VK_SUCCESS || presented == VK_SUBOPTIMAL_KHR},
                                {"present_waited", present_waited},
                                {"taken", was_taken},
                                {"taken_early", taken_early}}
              << '\n';
    return 0;
}
