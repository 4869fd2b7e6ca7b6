// Swapchains in the windows of an X server: ours, by DRI3 and Present, beside the driver's own.
#include "driver/driver_test.hpp"
#include "support/child_process.hpp"
#include "support/few_descriptors.hpp"
#include "support/presented_frame.hpp"
#include "support/results.hpp"
#include "support/x_server.hpp"
#include "x11/window_swapchain.hpp"
#include "x11/x_window.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr Extent size{128, 96};

/// The process's own: it takes seconds to come.
const XServer& x_server() {
    static const XServer server;
    return server;
}

struct Mode {
    Layers layers;
    const char* present; ///< the setting
    XApi api = XApi::Xcb;
};
std::string by_mode(const testing::TestParamInfo<Mode>& parameter) {
    const Mode& mode = parameter.param;
    return mode.present + name(mode.layers) + (mode.api == XApi::Xlib ? "Xlib" : "Xcb");
}

constexpr Mode owned{Layers::Bridge, "owned"};
constexpr Mode owned_xlib{Layers::Bridge, "owned", XApi::Xlib};
constexpr Mode owned_validated{Layers::ValidationBelow, "owned"};
constexpr Mode off{Layers::None, "off"};
constexpr Mode off_xlib{Layers::None, "off", XApi::Xlib};

ContextOptions options_of(const Mode& mode) {
    return {
        .layers = mode.layers,
        .shares_memory = false,
        .settings = {{"PRESENT", mode.present}},
        .instance_extensions = {VK_KHR_SURFACE_EXTENSION_NAME,
                                XWindow::surface_extension(mode.api)},
        .device_extensions = {VK_KHR_SWAPCHAIN_EXTENSION_NAME},
    };
}

/// Of `presents` presents to the watched window, the last of which may still be on their way.
std::vector<PresentWatcher::End> ends_of(PresentWatcher& watcher, size_t presents) {
    std::vector<PresentWatcher::End> ends = watcher.take();
    for (int tries = 0; ends.size() < presents && tries < 100; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        const std::vector<PresentWatcher::End> more = watcher.take();
        ends.insert(ends.end(), more.begin(), more.end());
    }
    return ends;
}

/// virtio-gpu's GL cannot import lavapipe's buffers: the swapchain is the driver's own then, and
/// the same is asked of it.
bool server_takes_our_buffers(const VulkanContext& context) {
    return context.driver != VK_DRIVER_ID_MESA_LLVMPIPE;
}

/// What a test needs, in the order in which it comes and goes.
class OnX11 : public testing::Test {
protected:
    void SetUp() override {
        if (!x_server().missing().empty()) {
            GTEST_SKIP() << x_server().missing();
        }
    }
    void TearDown() override {
        swapchain_.reset();
        if (surface_ != VK_NULL_HANDLE) {
            vkDestroySurfaceKHR(context_->instance, surface_, nullptr);
        }
        if (window_) {
            EXPECT_EQ(window_->errors(), 0U) << "X errors have come to the application";
        }
        if (context_) {
            expect_no_messages(*context_);
        }
    }

    void open(const Mode& mode, VkPresentModeKHR present_mode = VK_PRESENT_MODE_FIFO_KHR) {
        open(options_of(mode), mode.api, present_mode);
    }
    void open(const ContextOptions& options, XApi api, VkPresentModeKHR present_mode) {
        window_ = std::make_unique<XWindow>(x_server().display(), api, size);
        context_ = std::make_unique<VulkanContext>(options);
        surface_ = window_->make_surface(context_->instance);
        swapchain_ = std::make_unique<WindowSwapchain>(*context_, surface_, size, present_mode);
    }

    std::unique_ptr<XWindow> window_;
    std::unique_ptr<VulkanContext> context_;
    VkSurfaceKHR surface_ = VK_NULL_HANDLE;
    std::unique_ptr<WindowSwapchain> swapchain_;
};

class OnX11ByMode : public OnX11, public testing::WithParamInterface<Mode> {
protected:
    PresentSeen present_long_frame() {
        const LongWork work(*context_);
        return seen_running(long_work, [&](std::chrono::milliseconds duration) {
            uint32_t index = 0;
            EXPECT_EQ(swapchain_->try_acquire(index), VK_SUCCESS);
            const Fence drawn(*context_);
            EXPECT_EQ(swapchain_->clear_and_present(index, drawn.handle, 0, &work, duration),
                      VK_SUCCESS);
            // The server's own fences come and go meanwhile; the work's stays.
            size_t pending = pending_dma_bufs();
            for (int looks = 0; looks < 5; ++looks) {
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
                pending = std::min(pending, pending_dma_bufs());
            }
            const PresentSeen seen{pending, drawn.status() == VK_SUCCESS};
            FB_VK(vkQueueWaitIdle(context_->queue));
            EXPECT_TRUE(signals_soon()) << "a fence outlives its work";
            return seen;
        });
    }
};

using PresentedToX11Owned = OnX11ByMode;
TEST_P(PresentedToX11Owned, ImageCarriesItsFence) {
    open(GetParam());
    const PresentSeen seen = present_long_frame();
    if (server_takes_our_buffers(*context_)) {
        EXPECT_EQ(seen.pending, 1U);
        EXPECT_FALSE(seen.done) << "the present has waited";
    } else {
        EXPECT_EQ(seen.pending, 0U);
    }
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedToX11Owned,
                         testing::Values(owned, owned_xlib, owned_validated), by_mode);

using PresentedToX11Natively = OnX11ByMode;
TEST_P(PresentedToX11Natively, ImageCarriesNone) {
    open(GetParam());
    const PresentSeen seen = present_long_frame();
    EXPECT_EQ(seen.pending, 0U);
    EXPECT_EQ(seen.done, context_->driver == VK_DRIVER_ID_MESA_LLVMPIPE);
}
INSTANTIATE_TEST_SUITE_P(Mode, PresentedToX11Natively,
                         testing::Values(off, off_xlib, Mode{Layers::Bridge, "native"}), by_mode);

/// What Vulkan asks of any swapchain in a window: ours and the driver's alike.
using AnyInX11 = OnX11ByMode;

TEST_P(AnyInX11, ShowsEveryFrameOfFifoOnce) {
    open(GetParam());
    PresentWatcher watcher(x_server().display(), window_->id());
    constexpr int frames = 200;
    unsigned long descriptors = 0;
    for (int frame = 0; frame < frames; ++frame) {
        ASSERT_EQ(swapchain_->show_frame(), VK_SUCCESS) << "frame " << frame;
        if (frame == frames / 4) {
            FB_VK(vkQueueWaitIdle(context_->queue));
            descriptors = open_descriptors();
        }
    }
    FB_VK(vkQueueWaitIdle(context_->queue));
    // A leak is one a frame; the driver's own pools may still fill up to one an image.
    EXPECT_LE(open_descriptors(), descriptors + swapchain_->images.size());
    const std::vector<PresentWatcher::End> ends = ends_of(watcher, frames);
    EXPECT_EQ(ends.size(), static_cast<size_t>(frames));
    uint64_t last = 0;
    for (const PresentWatcher::End& end : ends) {
        EXPECT_TRUE(end.was_shown);
        EXPECT_GT(end.refresh, last) << "two in one refresh";
        last = end.refresh;
    }
}

TEST_P(AnyInX11, SaysThatTheWindowHasAnotherSize) {
    open(GetParam());
    ASSERT_EQ(swapchain_->show_frame(), VK_SUCCESS);
    constexpr Extent larger{200, 160};
    window_->resize(larger);
    VkResult said = VK_SUCCESS;
    for (int frame = 0; frame < 10 && said == VK_SUCCESS; ++frame) {
        said = swapchain_->show_frame();
    }
    EXPECT_TRUE(said == VK_SUBOPTIMAL_KHR || said == VK_ERROR_OUT_OF_DATE_KHR) << said;
    auto next = std::make_unique<WindowSwapchain>(*context_, surface_, larger,
                                                  VK_PRESENT_MODE_FIFO_KHR, swapchain_->handle);
    swapchain_ = std::move(next);
    // The driver's own may hear only now of the change that made the new one necessary.
    for (int frame = 0; frame < 10; ++frame) {
        EXPECT_GE(swapchain_->show_frame(), VK_SUCCESS);
    }
}

TEST_P(AnyInX11, SaysThatTheWindowIsGone) {
    open(GetParam());
    ASSERT_EQ(swapchain_->show_frame(), VK_SUCCESS);
    window_->destroy();
    VkResult said = VK_SUCCESS;
    for (int frame = 0; frame < 10 && said >= 0; ++frame) {
        said = swapchain_->show_frame();
    }
    EXPECT_TRUE(said == VK_ERROR_SURFACE_LOST_KHR || said == VK_ERROR_OUT_OF_DATE_KHR) << said;
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyInX11,
                         testing::Values(owned, owned_xlib, owned_validated, off, off_xlib),
                         by_mode);

struct Pace {
    Mode mode;
    VkPresentModeKHR present_mode;
};
class PacesInX11 : public OnX11, public testing::WithParamInterface<Pace> {};

TEST_P(PacesInX11, GiveTheImagesBack) {
    open(GetParam().mode, GetParam().present_mode);
    PresentWatcher watcher(x_server().display(), window_->id());
    for (int frame = 0; frame < 60; ++frame) {
        ASSERT_EQ(swapchain_->show_frame(), VK_SUCCESS) << "frame " << frame;
    }
    const std::vector<PresentWatcher::End> ends = ends_of(watcher, 60);
    EXPECT_EQ(ends.size(), 60U);
    const auto shown =
        std::count_if(ends.begin(), ends.end(), [](const auto& end) { return end.was_shown; });
    record_value("shown of 60 frames", static_cast<double>(shown), "frames", "", true);
    EXPECT_GE(shown, 1);
}
INSTANTIATE_TEST_SUITE_P(Mode, PacesInX11,
                         testing::Values(Pace{owned, VK_PRESENT_MODE_FIFO_RELAXED_KHR},
                                         Pace{owned, VK_PRESENT_MODE_MAILBOX_KHR},
                                         Pace{owned, VK_PRESENT_MODE_IMMEDIATE_KHR},
                                         Pace{off, VK_PRESENT_MODE_FIFO_RELAXED_KHR},
                                         Pace{off, VK_PRESENT_MODE_MAILBOX_KHR},
                                         Pace{off, VK_PRESENT_MODE_IMMEDIATE_KHR}),
                         [](const auto& parameter) {
                             const char* pace = "Immediate";
                             if (parameter.param.present_mode == VK_PRESENT_MODE_MAILBOX_KHR) {
                                 pace = "Mailbox";
                             } else if (parameter.param.present_mode ==
                                        VK_PRESENT_MODE_FIFO_RELAXED_KHR) {
                                 pace = "FifoRelaxed";
                             }
                             return parameter.param.mode.present + std::string(pace);
                         });

/// Presents with ids, and those who wait for them.
class WaitedForOnX11 : public OnX11 {
protected:
    void SetUp() override {
        OnX11::SetUp();
        if (IsSkipped()) {
            return;
        }
        ContextOptions options = options_of(owned);
        options.device_extensions.insert(
            options.device_extensions.end(),
            {VK_KHR_PRESENT_ID_EXTENSION_NAME, VK_KHR_PRESENT_WAIT_EXTENSION_NAME});
        if (const std::string missing = VulkanContext({}).lacks(options.device_extensions);
            !missing.empty()) {
            GTEST_SKIP() << missing;
        }
        open(options, XApi::Xcb, VK_PRESENT_MODE_FIFO_KHR);
        wait_ = context_->function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
    }
    VkResult wait_for(uint64_t id, std::chrono::nanoseconds timeout) const {
        return wait_(context_->device, swapchain_->handle, id,
                     static_cast<uint64_t>(timeout.count()));
    }
    PFN_vkWaitForPresentKHR wait_ = nullptr;
};

TEST_F(WaitedForOnX11, ShownIsWhatTheServerSaysSo) {
    using namespace std::chrono_literals;
    PresentWatcher watcher(x_server().display(), window_->id());
    for (uint64_t id = 1; id <= 10; ++id) {
        ASSERT_EQ(swapchain_->show_frame(id), VK_SUCCESS);
        EXPECT_EQ(wait_for(id, 10s), VK_SUCCESS);
        EXPECT_EQ(watcher.take().size(), 1U) << "the present is not at its end";
    }
    EXPECT_EQ(wait_for(11, 1ms), VK_TIMEOUT);
}

TEST_F(WaitedForOnX11, AnotherThreadMayWait) {
    using namespace std::chrono_literals;
    constexpr uint64_t frames = 60;
    std::atomic<uint64_t> waited = 0;
    std::thread waiter([&] {
        while (waited < frames && wait_for(waited + 1, 20s) == VK_SUCCESS) {
            ++waited;
        }
    });
    for (uint64_t id = 1; id <= frames; ++id) {
        EXPECT_EQ(swapchain_->show_frame(id), VK_SUCCESS);
    }
    waiter.join();
    EXPECT_EQ(waited, frames);
}

/// An application of somebody else's, by both of the window system's interfaces.
class VkcubeInX11 : public testing::TestWithParam<const char*> {
protected:
    static ChildResult vkcube(bool bridged) {
        Environment environment = environment_for(bridged);
        environment["VK_FENCEBRIDGE_PRESENT"] = "owned";
        environment["DISPLAY"] = x_server().display();
        return run_child({"/usr/bin/vkcube", "--wsi", GetParam(), "--c", "40"}, environment);
    }
};
TEST_P(VkcubeInX11, PresentsEveryFrameWithItsFence) {
    if (!x_server().missing().empty()) {
        GTEST_SKIP() << x_server().missing();
    }
    EXPECT_EQ(vkcube(false).exit_status, 0);
    const ChildResult cube = vkcube(true);
    EXPECT_EQ(cube.exit_status, 0) << cube.err;
    if (server_takes_our_buffers(VulkanContext({}))) {
        EXPECT_NE((cube.out + cube.err).find("releases 40 (fences attached 40"), std::string::npos)
            << cube.out << cube.err;
    }
}
INSTANTIATE_TEST_SUITE_P(By, VkcubeInX11, testing::Values("xcb", "xlib"),
                         [](const auto& parameter) { return std::string(parameter.param); });

} // namespace
} // namespace fencebridge::test
