// Swapchains of ours under a real compositor: fences, modes, sizes, threads.
#include "compositors/client.hpp"
#include "compositors/compositor_run.hpp"
#include "driver/driver_test.hpp"
#include "support/child_process.hpp"
#include "support/compositor.hpp"
#include "support/few_descriptors.hpp"
#include "support/presented_frame.hpp"
#include "support/results.hpp"
#include "support/swapchain.hpp"

#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <atomic>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

/// How many dma-bufs have a fence right after the present of a picture that takes long to draw.
size_t pending_after_present(Client& client, Layers layers) {
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = window_size});
    const PresentSeen seen = seen_running(long_work, [&](std::chrono::milliseconds duration) {
        const auto look = [](const Fence& drawn) {
            return PresentSeen{pending_dma_bufs(), drawn.status() == VK_SUCCESS};
        };
        const PresentSeen once =
            present_long_work(client.context, layers, swapchain, duration, look);
        // The compositor's fences too: they would be counted in the next look.
        EXPECT_TRUE(signals_soon());
        return once;
    });
    return seen.pending;
}

class Presented : public testing::TestWithParam<Layers> {};
TEST_P(Presented, ImageCarriesItsFence) {
    Client client(GetParam());
    const size_t pending = pending_after_present(client, GetParam());
    // lavapipe waits for a present's semaphores in the call, which validation asks for.
    if (client.context.driver != VK_DRIVER_ID_MESA_LLVMPIPE || GetParam() == Layers::Bridge) {
        EXPECT_EQ(pending, 1U);
    }
    expect_no_messages(client.context);
}
INSTANTIATE_TEST_SUITE_P(On, Presented,
                         testing::Values(Layers::Bridge, Layers::ValidationBelow,
                                         Layers::ValidationAbove),
                         by_layers);
/// Venus hands its fences to these compositors by linux-drm-syncobj, beside the dma-buf; lavapipe
/// draws into shared memory.
TEST(PresentedOff, ImageCarriesNone) {
    Client client(Layers::None);
    EXPECT_EQ(pending_after_present(client, Layers::None), 0U);
}

/// What a client of its own saw of its second picture, which takes long to draw.
nlohmann::json late_frame(bool attaches, const char* explicit_sync) {
    Environment environment = environment_for(true);
    environment["VK_FENCEBRIDGE_PRESENT"] = "owned";
    environment["VK_FENCEBRIDGE_EXPLICIT_SYNC"] = explicit_sync;
    const ChildResult client = run_child({program("compositors/fencebridge-late-frame").string(),
                                          attaches ? "as-it-is" : "without-attaching"},
                                         environment);
    auto seen = nlohmann::json::parse(client.out, nullptr, false);
    if (client.exit_status != 0 || seen.is_discarded()) {
        ADD_FAILURE() << client.out << client.err;
        return {{"presented", false}};
    }
    EXPECT_TRUE(seen["presented"].get<bool>());
    EXPECT_TRUE(seen["taken"].get<bool>()) << "the compositor never took the picture";
    EXPECT_FALSE(seen["present_waited"].get<bool>()) << "the present has waited for the work";
    return seen;
}

// A compositor that is told by linux-drm-syncobj, or looks at a dma-buf's fences, keeps the last
// picture until they are signalled; the others leave the waiting to their GPU's driver.
TEST(LateFrame, IsNotShownBeforeItIsDrawn) {
    const std::string compositor = compositor_name();
    EXPECT_EQ(late_frame(true, "auto")["taken_early"].get<bool>(),
              !waits_for_dma_bufs(compositor) && !offers_explicit_sync(compositor));
}
TEST(LateFrame, IsHeldByItsDmaBufAlone) {
    EXPECT_EQ(late_frame(true, "off")["taken_early"].get<bool>(),
              !waits_for_dma_bufs(compositor_name()));
}
TEST(LateFrame, IsShownUnfinishedWithoutTheFence) {
    EXPECT_TRUE(late_frame(false, "auto")["taken_early"].get<bool>());
}

class Modes : public testing::TestWithParam<VkPresentModeKHR> {};
TEST_P(Modes, EveryImageComesBack) {
    Client client(Layers::Bridge);
    if (!client.has_mode(GetParam())) {
        GTEST_SKIP() << "neither this compositor nor the driver has the mode";
    }
    const TestSwapchain swapchain(client.context, client.surface.handle,
                                  {.extent = window_size, .mode = GetParam()});
    const Pictures pictures(client.context, swapchain);
    std::vector<unsigned> acquired(swapchain.images.size());
    constexpr unsigned frames = 40;
    for (unsigned frame = 0; frame < frames; ++frame) {
        const uint32_t index = swapchain.acquire();
        ++acquired.at(index);
        swapchain.present(*pictures.commands.at(index), index);
    }
    FB_VK(vkDeviceWaitIdle(client.context.device));
    EXPECT_GE(
        std::count_if(acquired.begin(), acquired.end(), [](unsigned times) { return times > 1; }),
        2);
    EXPECT_EQ(client.display.protocol_error(), "");
}
INSTANTIATE_TEST_SUITE_P(On, Modes,
                         testing::Values(VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR,
                                         VK_PRESENT_MODE_IMMEDIATE_KHR),
                         [](const auto& parameter) {
                             switch (parameter.param) {
                             case VK_PRESENT_MODE_MAILBOX_KHR:
                                 return "Mailbox";
                             case VK_PRESENT_MODE_IMMEDIATE_KHR:
                                 return "Immediate";
                             default:
                                 return "Fifo";
                             }
                         });

/// How much of everything this process has.
struct Belongings {
    unsigned long descriptors = 0;
    unsigned long resident_pages = 0;
    size_t heap = 0;         ///< bytes in use
    uint32_t next_proxy = 0; ///< libwayland gives out the lowest free number
};
Belongings belongings(const Client& client) {
    Belongings all;
    all.descriptors = open_descriptors();
    std::ifstream("/proc/self/statm") >> all.resident_pages >> all.resident_pages;
    all.heap = ::mallinfo2().uordblks;
    all.next_proxy = client.display.next_object();
    return all;
}

/// FENCEBRIDGE_PRESENTS: how many; the long run has 10,000.
unsigned presents() {
    const std::string wanted = environment_variable("FENCEBRIDGE_PRESENTS");
    return wanted.empty() ? 72 : static_cast<unsigned>(std::stoul(wanted));
}

class Resized : public testing::TestWithParam<Layers> {};
TEST_P(Resized, AgainAndAgainWithoutGrowing) {
    Client client(GetParam());
    constexpr unsigned frames_of_each = 6;
    constexpr std::array extents{Extent{256, 192}, Extent{128, 64}, Extent{320, 200},
                                 Extent{200, 200}};
    std::vector<VkPresentModeKHR> modes{VK_PRESENT_MODE_FIFO_KHR};
    for (const VkPresentModeKHR mode :
         {VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR}) {
        if (client.has_mode(mode)) {
            modes.push_back(mode);
        }
    }
    std::unique_ptr<TestSwapchain> swapchain;
    Belongings early;
    const unsigned swapchains = presents() / frames_of_each;
    const unsigned warm_up = std::max(1U, swapchains / 3);
    for (unsigned round = 0; round < swapchains; ++round) {
        auto next = std::make_unique<TestSwapchain>(
            client.context, client.surface.handle,
            SwapchainOptions{.extent = extents.at(round % extents.size()),
                             .mode = modes.at(round % modes.size()),
                             .old = swapchain ? swapchain->handle : VK_NULL_HANDLE});
        swapchain = std::move(next);
        const Pictures pictures(client.context, *swapchain);
        for (unsigned frame = 0; frame < frames_of_each; ++frame) {
            show(*swapchain, pictures);
        }
        FB_VK(vkDeviceWaitIdle(client.context.device));
        // A compositor tells the window of its new size each time: who never reads that keeps it.
        client.display.roundtrip();
        if (round <= warm_up) {
            // The lowest free number is low where an old swapchain's objects have just gone.
            const uint32_t highest_yet = early.next_proxy;
            early = belongings(client);
            early.next_proxy = std::max(early.next_proxy, highest_yet);
        }
    }
    const Belongings late = belongings(client);
    // What is in use differs by a few images and by what a mode takes; a leak is one for each of
    // dozens of images, or one a frame.
    constexpr unsigned of_one_swapchain = 14;
    EXPECT_LE(late.descriptors, early.descriptors + of_one_swapchain);
    EXPECT_LE(late.next_proxy, early.next_proxy + of_one_swapchain);
    constexpr size_t of_one_swapchain_bytes = 65536;
    EXPECT_LE(late.heap, early.heap + of_one_swapchain_bytes);
    record_value("heap growth", static_cast<double>(late.heap) - static_cast<double>(early.heap),
                 "bytes", "", true);
    record_value("resident growth",
                 static_cast<double>(late.resident_pages) -
                     static_cast<double>(early.resident_pages),
                 "pages", "", true);
    EXPECT_EQ(client.display.protocol_error(), "");
    expect_no_messages(client.context);
}
INSTANTIATE_TEST_SUITE_P(On, Resized, testing::Values(Layers::Bridge, Layers::ValidationBelow),
                         by_layers);

TEST(TwoWindows, AreShownByOnePresent) {
    Client client(Layers::Bridge);
    const WaylandWindow other_window(client.display, "another window");
    const WaylandVkSurface other_surface(client.context, client.display, other_window);
    const TestSwapchain one(client.context, client.surface.handle, {.extent = window_size});
    const TestSwapchain other(client.context, other_surface.handle, {.extent = {128, 128}});
    CommandBuffer commands(client.context);
    for (int frame = 0; frame < 20; ++frame) {
        present_both(client.context, commands, one, other);
        FB_VK(vkQueueWaitIdle(client.context.queue));
    }
    EXPECT_EQ(client.display.protocol_error(), "");
}

TEST(OtherThread, MayUseTheDisplayAtTheSameTime) {
    Client client(Layers::Bridge);
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = window_size});
    const Pictures pictures(client.context, swapchain);
    std::atomic<bool> is_done = false;
    std::atomic<unsigned> roundtrips = 0;
    std::thread application([&] {
        while (!is_done && client.display.roundtrip()) {
            ++roundtrips;
        }
    });
    for (int frame = 0; frame < 60; ++frame) {
        show(swapchain, pictures);
    }
    is_done = true;
    application.join();
    EXPECT_GT(roundtrips, 0U);
    FB_VK(vkDeviceWaitIdle(client.context.device));
    EXPECT_EQ(client.display.protocol_error(), "");
}

TEST(WaitForPresent, ReturnsWhenThePictureIsOnTheScreen) {
    const std::vector<const char*> needed{VK_KHR_PRESENT_ID_EXTENSION_NAME,
                                          VK_KHR_PRESENT_WAIT_EXTENSION_NAME};
    if (const std::string missing = VulkanContext({}).lacks(needed); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    Client client(Layers::Bridge, {.device_extensions = needed});
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = window_size});
    const LongWork work(client.context);
    CommandBuffer commands(client.context);
    const auto wait_for_present =
        client.context.function<PFN_vkWaitForPresentKHR>("vkWaitForPresentKHR");
    for (uint64_t id = 1; id <= 4; ++id) {
        const uint32_t index = swapchain.acquire();
        record_picture(commands, swapchain.images.at(index), new_value, &work, long_work);
        const VkPresentIdKHR with_id{
            .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
            .swapchainCount = 1,
            .pPresentIds = &id,
        };
        const Fence drawn(client.context);
        swapchain.present(commands, index, drawn.handle, &with_id);
        EXPECT_EQ(wait_for_present(client.context.device, swapchain.handle, id, 0), VK_TIMEOUT);
        EXPECT_EQ(wait_for_present(client.context.device, swapchain.handle, id, UINT64_MAX),
                  VK_SUCCESS);
        EXPECT_EQ(drawn.status(), VK_SUCCESS);
    }
    FB_VK(vkDeviceWaitIdle(client.context.device));
}

} // namespace
} // namespace fencebridge::test
