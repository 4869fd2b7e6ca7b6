// An X server without DRI3: nothing of a GPU's can be shown there, and a driver that draws on the
// CPU presents by itself, with the layer as without it.
#include "driver/driver_test.hpp"
#include "support/process_group.hpp"
#include "support/stderr_copy.hpp"
#include "support/temporary_folder.hpp"
#include "x11/window_swapchain.hpp"
#include "x11/x_window.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace fencebridge::test {
namespace {

constexpr const char* xvfb = "/usr/bin/Xvfb";
constexpr Extent size{128, 96};
constexpr std::chrono::seconds patience{60};

/// Xvfb, on a display that it has chosen.
class PlainXServer {
public:
    PlainXServer()
        : log_((folder_.path() / "log").string()),
          server_({{xvfb, "-displayfd", "1", "-screen", "0", "640x480x24"}, {}}, log_) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (display_.empty() && !server_.is_gone() &&
               std::chrono::steady_clock::now() < deadline) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            look_for_display();
        }
    }
    /// As in the variable DISPLAY; empty: it has not come.
    const std::string& display() const { return display_; }

private:
    /// The number stands alone in a line.
    void look_for_display() {
        std::ifstream said(log_);
        for (std::string line; std::getline(said, line);) {
            if (!line.empty() && std::all_of(line.begin(), line.end(), [](unsigned char c) {
                    return std::isdigit(c) != 0;
                })) {
                display_ = ":" + line;
            }
        }
    }

    TemporaryFolder folder_;
    std::string log_;
    ProcessGroup server_;
    std::string display_;
};

class WithoutDri3 : public testing::TestWithParam<Layers> {};
TEST_P(WithoutDri3, SwapchainIsTheDriversOwn) {
    if (!std::filesystem::exists(xvfb)) {
        GTEST_SKIP() << "no Xvfb";
    }
    const PlainXServer server;
    ASSERT_NE(server.display(), "");
    StderrCopy log;
    {
        XWindow window(server.display(), XApi::Xcb, size);
        VulkanContext context({
            .layers = GetParam(),
            .shares_memory = false,
            .settings = {{"PRESENT", "owned"}},
            .instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                    XWindow::surface_extension(XApi::Xcb)},
            .device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME},
        });
        VkSurfaceKHR surface = window.make_surface(context.instance);
        {
            WindowSwapchain swapchain(context, surface, size, VK_PRESENT_MODE_FIFO_KHR);
            for (int frame = 0; frame < 10; ++frame) {
                EXPECT_EQ(swapchain.show_frame(), VK_SUCCESS);
            }
        }
        vkDestroySurfaceKHR(context.instance, surface, nullptr);
        EXPECT_EQ(window.errors(), 0U);
        expect_no_messages(context);
    }
    const std::string said = log.finish();
    EXPECT_EQ(said.find("a swapchain cannot be owned") != std::string::npos, has_bridge(GetParam()))
        << said;
}
INSTANTIATE_TEST_SUITE_P(On, WithoutDri3,
                         testing::Values(Layers::None, Layers::Bridge, Layers::ValidationBelow),
                         [](const auto& parameter) { return name(parameter.param); });

} // namespace
} // namespace fencebridge::test
