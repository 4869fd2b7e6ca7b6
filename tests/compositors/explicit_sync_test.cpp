// What a compositor shows of a picture that is still being drawn, where neither it nor its GPU's
// driver looks at a dma-buf's fences: sway and virtio-gpu's kernel driver do not.
#include "compositors/client.hpp"
#include "compositors/compositor_run.hpp"
#include "compositors/screenshot.hpp"
#include "driver/driver_test.hpp"
#include "support/few_descriptors.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr uint32_t stale_value = 0xffc02020;
constexpr uint32_t shown_value = 0xff20c020;
constexpr uint32_t late_value = 0xff2020c0;

uint32_t colour_on_screen(uint32_t value) {
    return value & 0x00ffffffU;
}

/// The middle of the window, which sway puts into the corner.
uint32_t seen_now(const std::string& file) {
    return take_screenshot(file).at(window_size.width / 2, window_size.height / 2);
}

bool comes_to_show(uint32_t value, const std::string& file,
                   std::chrono::seconds patience = std::chrono::seconds(10)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
        if (seen_now(file) == colour_on_screen(value)) {
            return true;
        }
    }
    return false;
}

/// Presents one picture and waits until it is drawn.
void draw(const Client& client, const TestSwapchain& swapchain, uint32_t value) {
    CommandBuffer commands(client.context);
    const uint32_t index = swapchain.acquire();
    record_picture(commands, swapchain.images.at(index), value);
    swapchain.present(commands, index);
    FB_VK(vkQueueWaitIdle(client.context.queue));
}

struct Seen {
    std::vector<uint32_t> while_drawing; ///< colours on the screen
    bool in_the_end = false;             ///< whether the picture came there
};

/// What is on the screen while a picture is drawn that takes long, on an image that had another
/// picture before; and `patience` after that.
Seen draw_late(const char* explicit_sync, std::chrono::seconds patience) {
    const std::string file = output_file(std::string("-late-") + explicit_sync + ".png");
    Client client(Layers::Bridge, {.settings = {{"EXPLICIT_SYNC", explicit_sync}}});
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = window_size});
    for (size_t image = 0; image < swapchain.images.size(); ++image) {
        draw(client, swapchain, stale_value);
    }
    EXPECT_TRUE(comes_to_show(stale_value, file));
    draw(client, swapchain, shown_value);
    EXPECT_TRUE(comes_to_show(shown_value, file));

    constexpr std::chrono::seconds long_drawing{6};
    const LongWork work(client.context);
    CommandBuffer commands(client.context);
    const uint32_t index = swapchain.acquire();
    record_picture(commands, swapchain.images.at(index), late_value, &work, long_drawing);
    const Fence drawn(client.context);
    swapchain.present(commands, index, drawn.handle);
    Seen seen;
    while (drawn.status() == VK_NOT_READY) {
        seen.while_drawing.push_back(seen_now(file));
    }
    EXPECT_FALSE(seen.while_drawing.empty()) << "the drawing was over before anybody looked";
    seen.in_the_end = comes_to_show(late_value, file, patience);
    EXPECT_EQ(client.display.protocol_error(), "");
    return seen;
}

bool has_stale(const Seen& seen) {
    return std::count(seen.while_drawing.begin(), seen.while_drawing.end(),
                      colour_on_screen(stale_value)) != 0;
}

class ExplicitSync : public testing::Test {
protected:
    void SetUp() override {
        if (compositor_name() != "sway") {
            GTEST_SKIP()
                << "only sway both offers linux-drm-syncobj and leaves dma-bufs' fences to "
                   "its GPU's driver";
        }
    }
};

TEST_F(ExplicitSync, KeepsAnUnfinishedPictureOffTheScreen) {
    const Seen seen = draw_late("auto", std::chrono::seconds(10));
    EXPECT_FALSE(has_stale(seen));
    EXPECT_TRUE(seen.in_the_end);
}

TEST_F(ExplicitSync, OffTheImagesOldContentIsShownAndStays) {
    const Seen seen = draw_late("off", std::chrono::seconds(3));
    EXPECT_TRUE(has_stale(seen)) << "the test with linux-drm-syncobj would prove nothing";
    // Nothing has the compositor look again.
    EXPECT_FALSE(seen.in_the_end);
}

// Not for the acquires: libwayland itself is lost where the compositor sends it a descriptor.
TEST_F(ExplicitSync, PresentsWithoutDescriptors) {
    Client client(Layers::Bridge);
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = window_size});
    const std::string file = output_file("-without-descriptors.png");
    // With the first picture on the screen the compositor says what it would scan out, and that
    // with a descriptor, too: it is read while there are some.
    draw(client, swapchain, shown_value);
    EXPECT_TRUE(comes_to_show(shown_value, file));
    client.display.roundtrip();
    CommandBuffer commands(client.context);
    for (size_t image = 0; image < 2 * swapchain.images.size(); ++image) {
        const uint32_t index = swapchain.acquire();
        record_picture(commands, swapchain.images.at(index), stale_value);
        {
            const NoMoreDescriptors none_left;
            swapchain.present(commands, index);
        }
        FB_VK(vkQueueWaitIdle(client.context.queue));
    }
    EXPECT_TRUE(comes_to_show(stale_value, file));
    draw(client, swapchain, shown_value);
    EXPECT_TRUE(comes_to_show(shown_value, file));
    EXPECT_EQ(client.display.protocol_error(), "");
}

} // namespace
} // namespace fencebridge::test
