// What a compositor shows of a swapchain of ours, held against what it shows of the driver's own.
#include "compositors/client.hpp"
#include "compositors/compositor_run.hpp"
#include "compositors/screenshot.hpp"
#include "driver/driver_test.hpp"
#include "support/stderr_copy.hpp"
#include "support/swapchain.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace fencebridge::test {
namespace {

constexpr Extent size{256, 192};
constexpr int frames = 3;
constexpr std::chrono::seconds patience{30};

/// The window's picture has a colour for each quarter; no compositor's desktop has one of them.
constexpr std::array<uint32_t, 4> quarters{0x00ff8040, 0x0020c0a0, 0x008060ff, 0x00f0f010};
constexpr uint32_t colour_at(uint32_t x, uint32_t y) {
    return quarters.at((y < size.height / 2 ? 0U : 2U) + (x < size.width / 2 ? 0U : 1U));
}

bool is_of_the_window(uint32_t pixel) {
    return std::find(quarters.begin(), quarters.end(), pixel) != quarters.end();
}

/// Nothing is left of an earlier window.
bool shows_no_window(const Screenshot& screen) {
    return std::none_of(screen.pixels.begin(), screen.pixels.end(), is_of_the_window);
}

/// The whole of the window's picture, wherever the compositor has put it, and no pixel more.
bool shows_the_window(const Screenshot& screen) {
    const auto first = std::find_if(screen.pixels.begin(), screen.pixels.end(), is_of_the_window);
    const auto place = static_cast<uint32_t>(first - screen.pixels.begin());
    const uint32_t left = place % screen.extent.width;
    const uint32_t top = place / screen.extent.width;
    if (left + size.width > screen.extent.width || top + size.height > screen.extent.height) {
        return false;
    }
    for (uint32_t y = 0; y < size.height; ++y) {
        for (uint32_t x = 0; x < size.width; ++x) {
            if (screen.at(left + x, top + y) != colour_at(x, y)) {
                return false;
            }
        }
    }
    return std::count_if(screen.pixels.begin(), screen.pixels.end(), is_of_the_window) ==
           std::ptrdiff_t{size.width} * size.height;
}

/// Takes pictures until one shows what it is to show, or for as long as patience lasts: the last.
Screenshot take_screenshot_that(bool (*shows)(const Screenshot&), const std::string& file) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    Screenshot screen = take_screenshot(file);
    while (!shows(screen) && std::chrono::steady_clock::now() < deadline) {
        screen = take_screenshot(file);
    }
    return screen;
}

/// `drawn` has the window's picture.
void record_copy(CommandBuffer& commands, const Buffer& drawn, VkImage image) {
    const VkBufferImageCopy whole{
        .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
        .imageExtent = {size.width, size.height, 1},
    };
    commands.begin();
    commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
    vkCmdCopyBufferToImage(commands.handle, drawn.buffer, image,
                           VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, 1, &whole);
    commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                           VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    commands.end();
}

/// The screen with a window on it, whose swapchain is ours or the driver's own.
Screenshot screen_with_a_window(Layers layers, const std::string& file) {
    Client client(layers);
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = size});
    const Buffer drawn(client.context, VkDeviceSize{size.width} * size.height * 4,
                       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    for (uint32_t y = 0; y < size.height; ++y) {
        for (uint32_t x = 0; x < size.width; ++x) {
            drawn.mapped[size_t{y} * size.width + x] = 0xff000000U | colour_at(x, y);
        }
    }
    CommandBuffer commands(client.context);
    for (int frame = 0; frame < frames; ++frame) {
        const uint32_t index = swapchain.acquire();
        record_copy(commands, drawn, swapchain.images.at(index));
        swapchain.present(commands, index);
        FB_VK(vkQueueWaitIdle(client.context.queue));
    }
    return take_screenshot_that(shows_the_window, file);
}

TEST(Picture, IsTheDriversOwn) {
    const Screenshot drivers = screen_with_a_window(Layers::None, output_file("-native.png"));
    EXPECT_TRUE(shows_the_window(drivers)) << "see " << output_file("-native.png");
    EXPECT_TRUE(shows_no_window(take_screenshot_that(shows_no_window, output_file("-none.png"))));
    StderrCopy log;
    const Screenshot ours = screen_with_a_window(Layers::Bridge, output_file("-owned.png"));
    EXPECT_NE(log.finish().find("releases " + std::to_string(frames) + " ("), std::string::npos)
        << "the swapchain was not ours";
    EXPECT_TRUE(shows_the_window(ours)) << "see " << output_file("-owned.png");
    EXPECT_TRUE(drivers.pixels == ours.pixels) << "the pictures differ: see " << output_file("-*");
}

} // namespace
} // namespace fencebridge::test
