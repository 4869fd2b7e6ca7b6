// What swapchains of ours do with compositors that lack things, or refuse them, or go: a stand-in
// (small_compositor.cpp) that also tells what came to it.
#include "compositors/client.hpp"
#include "driver/driver_test.hpp"
#include "support/child_process.hpp"
#include "support/headless_swapchain.hpp"
#include "support/temporary_folder.hpp"

#include <drm/drm_fourcc.h>
#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

/// As long as the object lives, or until its client has gone.
class SmallCompositor {
public:
    explicit SmallCompositor(const std::string& kind)
        : run_(std::async(std::launch::async, [this, kind] {
              return run_child({program("compositors/fencebridge-small-compositor").string(),
                                socket().filename(), kind},
                               {{"XDG_RUNTIME_DIR", folder_.path()}});
          })) {
        for (int tries = 0; !std::filesystem::exists(socket()) && tries < 200; ++tries) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        ::setenv("WAYLAND_DISPLAY", socket().c_str(), 1); // NOLINT(concurrency-mt-unsafe)
    }

    /// Call it when its client has gone.
    nlohmann::json seen() {
        const ChildResult result = run_.get();
        auto told = nlohmann::json::parse(result.out, nullptr, false);
        if (result.exit_status != 0 || told.is_discarded()) {
            ADD_FAILURE() << result.exit_status << ": " << result.out << result.err;
            return {{"pictures", -1}};
        }
        return told;
    }

private:
    std::filesystem::path socket() const { return folder_.path() / "socket"; }

    TemporaryFolder folder_;
    std::future<ChildResult> run_;
};

bool on_lavapipe(const VulkanContext& context) {
    return context.driver == VK_DRIVER_ID_MESA_LLVMPIPE;
}

struct Case {
    Layers layers;
    const char* kind; ///< of compositor
    uint64_t modifier;
};
std::string by_case(const testing::TestParamInfo<Case>& parameter) {
    return name(parameter.param.layers) + "_" + parameter.param.kind;
}
constexpr Case dmabuf3{Layers::Bridge, "dmabuf3", DRM_FORMAT_MOD_LINEAR};
constexpr Case unnamed{Layers::Bridge, "unnamed", DRM_FORMAT_MOD_INVALID};
constexpr Case dmabuf3_validated{Layers::ValidationBelow, "dmabuf3", DRM_FORMAT_MOD_LINEAR};

/// What came to a compositor of pictures that take long to draw.
nlohmann::json long_pictures(const Case& one, unsigned pictures, bool& lavapipe) {
    SmallCompositor compositor(one.kind);
    {
        Client client(one.layers);
        lavapipe = on_lavapipe(client.context);
        const TestSwapchain swapchain(client.context, client.surface.handle,
                                      {.extent = window_size});
        for (unsigned picture = 0; picture < pictures; ++picture) {
            present_long_work(client.context, one.layers, swapchain, long_work,
                              [&](const Fence&) { return client.display.roundtrip(); });
        }
        EXPECT_EQ(client.display.protocol_error(), "");
        expect_no_messages(client.context);
    }
    return compositor.seen();
}

/// linux-dmabuf 3: no feedback, so no device; no FIFO protocol, so frame callbacks.
class OldDmabuf : public testing::TestWithParam<Case> {};
TEST_P(OldDmabuf, PicturesComeWithTheirFences) {
    constexpr unsigned pictures = 4;
    bool lavapipe = false;
    const nlohmann::json seen = long_pictures(GetParam(), pictures, lavapipe);
    EXPECT_EQ(seen["pictures"], pictures);
    EXPECT_EQ(seen["dma_bufs"], pictures);
    EXPECT_EQ(seen["modifiers"], nlohmann::json::array({GetParam().modifier}));
    if (!lavapipe || GetParam().layers == Layers::Bridge) {
        EXPECT_EQ(seen["pending"], pictures);
    }
}
/// Venus' own swapchain commits a picture when it is drawn; lavapipe's are in shared memory.
TEST(OldDmabufOff, PicturesComeWithoutFences) {
    bool lavapipe = false;
    const nlohmann::json seen = long_pictures({Layers::None, "dmabuf3", 0}, 4, lavapipe);
    EXPECT_EQ(seen["pictures"], 4);
    EXPECT_EQ(seen["pending"], 0);
}
INSTANTIATE_TEST_SUITE_P(On, OldDmabuf, testing::Values(dmabuf3, unnamed, dmabuf3_validated),
                         by_case);

TEST(SharedMemoryAlone, IsTheDriversOwn) {
    SmallCompositor compositor("shm");
    {
        Client client(Layers::Bridge);
        if (!on_lavapipe(client.context)) {
            GTEST_SKIP() << "the driver itself cannot present to such a compositor";
        }
        const TestSwapchain swapchain(client.context, client.surface.handle,
                                      {.extent = window_size});
        const Pictures pictures(client.context, swapchain);
        for (int picture = 0; picture < 5; ++picture) {
            show(swapchain, pictures);
        }
        FB_VK(vkDeviceWaitIdle(client.context.device));
        client.display.roundtrip();
    }
    const nlohmann::json seen = compositor.seen();
    EXPECT_EQ(seen["pictures"], 5);
    EXPECT_EQ(seen["dma_bufs"], 0);
}

/// A headless surface's swapchain is ours; in the window, whose compositor takes no buffer of ours,
/// it is the driver's own. One call presents to both.
class Mixed : public testing::TestWithParam<Layers> {};
TEST_P(Mixed, PresentShowsOursAndTheDriversOwn) {
    constexpr int frames = 12;
    SmallCompositor compositor("refusing");
    {
        Client client(GetParam(),
                      {.instance_extensions = {VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME}});
        const VulkanContext& context = client.context;
        const TestSwapchain window(context, client.surface.handle, {.extent = window_size});
        const HeadlessSwapchain headless(context, {64, 64}, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
        const LongWork work(context);
        CommandBuffer commands(context);
        for (int frame = 0; frame < frames; ++frame) {
            present_both(context, commands, window, headless,
                         frame == frames / 2 ? &work : nullptr);
            if (frame == frames / 2 && !on_lavapipe(context)) {
                // The headless one's. (lavapipe waits for a present's semaphores in the call.)
                EXPECT_GE(pending_dma_bufs(), 1U);
            }
            FB_VK(vkQueueWaitIdle(context.queue));
        }
        client.display.roundtrip();
        EXPECT_EQ(client.display.protocol_error(), "");
        expect_no_messages(client.context);
    }
    const nlohmann::json seen = compositor.seen();
    EXPECT_EQ(seen["pictures"], frames);
    EXPECT_GE(seen["refused"], 1);
}
INSTANTIATE_TEST_SUITE_P(On, Mixed, testing::Values(Layers::Bridge, Layers::ValidationBelow),
                         [](const auto& parameter) { return name(parameter.param); });

/// A surface's swapchain is ours, then the driver's, each replacing the last: of what a surface may
/// have one of only, nobody has a second.
class TakenOver : public testing::TestWithParam<Layers> {};
TEST_P(TakenOver, SurfaceIsNobodysTwice) {
    constexpr unsigned frames = 4;
    SmallCompositor compositor("fickle");
    {
        Client client(GetParam());
        std::unique_ptr<TestSwapchain> swapchain;
        for (int swapchains = 0; swapchains < 3; ++swapchains) {
            swapchain = std::make_unique<TestSwapchain>(
                client.context, client.surface.handle,
                SwapchainOptions{.extent = window_size,
                                 .old = swapchain ? swapchain->handle : VK_NULL_HANDLE});
            const Pictures pictures(client.context, *swapchain);
            for (unsigned frame = 0; frame < frames; ++frame) {
                show(*swapchain, pictures);
            }
            FB_VK(vkDeviceWaitIdle(client.context.device));
            client.display.roundtrip();
            EXPECT_EQ(client.display.protocol_error(), "");
        }
        expect_no_messages(client.context);
    }
    const nlohmann::json seen = compositor.seen();
    EXPECT_EQ(seen["pictures"], 3 * frames);
    EXPECT_GE(seen["refused"], 1) << "the second swapchain was ours as well";
    EXPECT_GE(seen["fifos"], 1) << "nobody wanted what there is one of";
}
INSTANTIATE_TEST_SUITE_P(On, TakenOver, testing::Values(Layers::Bridge, Layers::ValidationBelow),
                         [](const auto& parameter) { return name(parameter.param); });

/// Nobody sees the window, so no compositor says that its content was presented; whoever waits for
/// that is told that it never will be. The driver's own swapchain does the same.
class Hidden : public testing::TestWithParam<Layers> {};
TEST_P(Hidden, WaitForPresentEnds) {
    constexpr uint64_t frames = 3;
    constexpr uint64_t patience_ns = 10'000'000'000;
    const std::vector<const char*> needed{VK_KHR_PRESENT_ID_EXTENSION_NAME,
                                          VK_KHR_PRESENT_WAIT_EXTENSION_NAME};
    if (const std::string missing = VulkanContext({}).lacks(needed); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    SmallCompositor compositor("hiding");
    {
        Client client(GetParam(), {.device_extensions = needed});
        VulkanContext& context = client.context;
        const auto wait_for_present =
            context.function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
        const TestSwapchain swapchain(context, client.surface.handle, {.extent = window_size});
        const Pictures pictures(context, swapchain);
        for (uint64_t id = 1; id <= frames; ++id) {
            const VkPresentIdKHR ids{
                .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
                .swapchainCount = 1,
                .pPresentIds = &id,
            };
            show(swapchain, pictures, &ids);
            EXPECT_EQ(wait_for_present(context.device, swapchain.handle, id, patience_ns),
                      VK_SUCCESS)
                << id;
        }
        FB_VK(vkDeviceWaitIdle(context.device));
        EXPECT_EQ(client.display.protocol_error(), "");
        expect_no_messages(context);
    }
    const nlohmann::json seen = compositor.seen();
    EXPECT_EQ(seen["pictures"], frames);
    if (GetParam() == Layers::Bridge) {
        EXPECT_EQ(seen["discarded"], frames) << "the compositor has not said why it ended";
    }
}
INSTANTIATE_TEST_SUITE_P(Either, Hidden, testing::Values(Layers::None, Layers::Bridge),
                         [](const auto& parameter) { return name(parameter.param); });

/// Of the last picture: what the compositor was told has changed.
nlohmann::json damage_seen(Layers layers, const std::vector<VkRectLayerKHR>& changed) {
    SmallCompositor compositor("dmabuf3");
    {
        Client client(layers, {.device_extensions = {VK_KHR_INCREMENTAL_PRESENT_EXTENSION_NAME}});
        const TestSwapchain swapchain(client.context, client.surface.handle,
                                      {.extent = window_size});
        const Pictures pictures(client.context, swapchain);
        show(swapchain, pictures);
        const VkPresentRegionKHR region{
            .rectangleCount = static_cast<uint32_t>(changed.size()),
            .pRectangles = changed.data(),
        };
        const VkPresentRegionsKHR regions{
            .sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR,
            .swapchainCount = 1,
            .pRegions = &region,
        };
        show(swapchain, pictures, &regions);
        FB_VK(vkDeviceWaitIdle(client.context.device));
        client.display.roundtrip();
    }
    return compositor.seen()["damage"];
}
TEST(Damage, ReachesTheCompositor) {
    const std::vector<VkRectLayerKHR> changed{{{1, 2}, {30, 40}, 0}, {{100, 90}, {8, 9}, 0}};
    const nlohmann::json expected{{1, 2, 30, 40}, {100, 90, 8, 9}};
    EXPECT_EQ(damage_seen(Layers::Bridge, changed), expected);
    EXPECT_EQ(damage_seen(Layers::None, changed), expected) << "the driver's own says otherwise";
}

TEST(CompositorsEnd, IsALostSurface) {
    SmallCompositor compositor("mortal");
    {
        Client client(Layers::Bridge);
        const TestSwapchain swapchain(client.context, client.surface.handle,
                                      {.extent = window_size});
        const Pictures pictures(client.context, swapchain);
        VkResult result = VK_SUCCESS;
        int shown = 0;
        constexpr int more_than_it_lives = 50;
        for (; result >= 0 && shown < more_than_it_lives; ++shown) {
            uint32_t index = 0;
            result = swapchain.try_acquire(index);
            if (result >= 0) {
                result = swapchain.try_present(*pictures.commands.at(index), index);
            }
        }
        EXPECT_EQ(result, VK_ERROR_SURFACE_LOST_KHR);
        EXPECT_LT(shown, more_than_it_lives);
        FB_VK(vkDeviceWaitIdle(client.context.device));
        // Another is refused, and does not crash.
        const VkSwapchainCreateInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
            .surface = client.surface.handle,
            .minImageCount = 4,
            .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
            .imageExtent = {window_size.width, window_size.height},
            .imageArrayLayers = 1,
            .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
            .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
            .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
            .presentMode = VK_PRESENT_MODE_FIFO_KHR,
            .oldSwapchain = swapchain.handle,
        };
        VkSwapchainKHR another = VK_NULL_HANDLE;
        EXPECT_LT(vkCreateSwapchainKHR(client.context.device, &info, nullptr, &another), 0);
    }
    EXPECT_EQ(compositor.seen()["pictures"], 5);
}

} // namespace
} // namespace fencebridge::test
