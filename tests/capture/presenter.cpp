// An application that draws and presents, on a surface that nobody looks at: one colour a frame,
// the frame's number. It shares nothing and knows of no layer.
//
//   fencebridge-presenter FRAMES WORK_MS  : prints one JSON line
#include "capture/protocol.hpp"
#include "support/headless_swapchain.hpp"

#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace {

using namespace fencebridge::test;

void draw(CommandBuffer& commands, const LongWork& work, std::chrono::milliseconds duration,
          VkImage image, uint32_t frame) {
    commands.begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    work.record(commands, duration);
    commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    const VkClearColorValue colour = colour_of(frame | 0xff000000U);
    vkCmdClearColorImage(commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour, 1,
                         &whole_image);
    commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    commands.end();
}

int present(uint32_t frames, std::chrono::milliseconds duration) {
    const VulkanContext context(
        with_headless_swapchain({.shares_memory = false, .spare_queues = 1}));
    const LongWork work(context);
    const HeadlessSwapchain swapchain(context, {capture_width, capture_height},
                                      VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    CommandBuffer commands(context);
    for (uint32_t frame = 1; frame <= frames; ++frame) {
        const uint32_t image = swapchain.acquire();
        draw(commands, work, duration, swapchain.images.at(image), frame);
        swapchain.present(commands, image);
        // There is time between two frames of an application that a display paces.
        FB_VK(vkDeviceWaitIdle(context.device));
        std::this_thread::sleep_for(duration / 2);
    }
    std::cout << nlohmann::json{{"device", context.device_name}} << '\n';
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: fencebridge-presenter FRAMES WORK_MS\n");
        return 2;
    }
    return present(static_cast<uint32_t>(std::atoi(argv[1])),
                   std::chrono::milliseconds(std::atoi(argv[2])));
}
