// Swapchains of ours under a real compositor, $FENCEBRIDGE_COMPOSITOR, and what it shows of them.
#include "driver/driver_test.hpp"
#include "support/child_process.hpp"
#include "support/compositor.hpp"
#include "support/few_descriptors.hpp"
#include "support/presented_frame.hpp"
#include "support/results.hpp"
#include "support/swapchain.hpp"
#include "support/wayland_window.hpp"

#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr Extent size{256, 192};

std::string variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value != nullptr ? value : "";
}
std::string compositor_name() {
    return from_build("FENCEBRIDGE_COMPOSITOR");
}

/// Where pictures and logs stay when the run is over.
std::filesystem::path output_folder() {
    const std::string job = variable("FENCEBRIDGE_JOB");
    const std::filesystem::path folder =
        job.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(job) / "out";
    std::filesystem::create_directories(folder);
    return folder;
}
std::string output_file(const std::string& what) {
    return (output_folder() / (compositor_name() + "-" + variable("FENCEBRIDGE_DRIVER") + what))
        .string();
}

/// The compositor of the whole program.
class CompositorRun : public testing::Environment {
public:
    void SetUp() override {
        if (variable("FENCEBRIDGE_DRIVER") == "host") {
            std::printf("the compositors are the guest's\n");
            std::exit(77); // NOLINT(concurrency-mt-unsafe)
        }
        compositor_ = std::make_unique<Compositor>(
            compositor_name(), variable("FENCEBRIDGE_DRIVER") == "lavapipe", output_file(".log"));
    }
    void TearDown() override { compositor_.reset(); }

private:
    std::unique_ptr<Compositor> compositor_;
};
const auto* const compositor_run = testing::AddGlobalTestEnvironment(new CompositorRun);

/// A device with a window on the compositor.
struct Client {
    explicit Client(Layers layers, ContextOptions options = {})
        : context([&] {
              options.layers = layers;
              options.shares_memory = false;
              options.settings = {{"PRESENT", "owned"}};
              std::vector<const char*> more = options.device_extensions;
              options = with_wayland(options);
              options.device_extensions.insert(options.device_extensions.end(), more.begin(),
                                               more.end());
              return options;
          }()) {}

    VulkanContext context;
    WaylandDisplay display;
    WaylandWindow window{display, "a window"};
    WaylandVkSurface surface{context, display, window};
};

bool has_mode(const Client& client, VkPresentModeKHR mode) {
    std::vector<VkPresentModeKHR> modes(16);
    auto count = static_cast<uint32_t>(modes.size());
    FB_VK(vkGetPhysicalDeviceSurfacePresentModesKHR(client.context.physical_device,
                                                    client.surface.handle, &count, modes.data()));
    modes.resize(count);
    return std::find(modes.begin(), modes.end(), mode) != modes.end();
}

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

void show(const TestSwapchain& swapchain, const Pictures& pictures) {
    const uint32_t index = swapchain.acquire();
    swapchain.present(*pictures.commands.at(index), index);
}

/// How many dma-bufs have a fence right after the present of a picture that takes long to draw, be
/// it behind a semaphore or by the queue's order alone.
size_t pending_after_present(Client& client, bool by_semaphore) {
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = size});
    const LongWork work(client.context);
    CommandBuffer commands(client.context);
    const uint32_t index = swapchain.acquire();
    record_picture(commands, swapchain.images.at(index), new_value, &work, long_work);
    const Fence drawn(client.context);
    FB_VK(swapchain.try_present(commands, index, drawn.handle, nullptr, by_semaphore));
    const size_t pending = pending_dma_bufs();
    FB_VK(drawn.wait());
    FB_VK(vkQueueWaitIdle(client.context.queue));
    return pending;
}

class Presented : public testing::TestWithParam<Layers> {};
TEST_P(Presented, ImageCarriesItsFence) {
    Client client(GetParam());
    const bool on_lavapipe = client.context.driver == VK_DRIVER_ID_MESA_LLVMPIPE;
    // lavapipe waits for a present's semaphores in the call; and validation wants them.
    const bool by_semaphore = !on_lavapipe || GetParam() != Layers::Bridge;
    const size_t pending = pending_after_present(client, by_semaphore);
    if (!on_lavapipe) {
        EXPECT_EQ(pending, 1U);
    } else if (!by_semaphore) {
        // The proxy fence's own buffer is one, too.
        EXPECT_EQ(pending, 2U);
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
    EXPECT_EQ(pending_after_present(client, true), 0U);
}

/// What a client of its own saw of its second picture, which takes long to draw.
nlohmann::json late_frame(bool bridged, bool attaches) {
    Environment environment = environment_for(bridged);
    environment["VK_FENCEBRIDGE_PRESENT"] = "owned";
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
    return seen;
}

TEST(LateFrame, IsNotShownBeforeItIsDrawn) {
    const nlohmann::json seen = late_frame(true, true);
    EXPECT_FALSE(seen["present_waited"].get<bool>()) << "the present has waited for the work";
    // Those that look at a dma-buf's fences keep the last picture until they are signalled; the
    // others leave the waiting to their GPU's driver.
    EXPECT_EQ(seen["taken_early"].get<bool>(), !waits_for_dma_bufs(compositor_name()));
}
TEST(LateFrame, IsShownUnfinishedWithoutTheFence) {
    const nlohmann::json seen = late_frame(true, false);
    EXPECT_FALSE(seen["present_waited"].get<bool>());
    EXPECT_TRUE(seen["taken_early"].get<bool>());
}
class Modes : public testing::TestWithParam<VkPresentModeKHR> {};
TEST_P(Modes, EveryImageComesBack) {
    Client client(Layers::Bridge);
    if (!has_mode(client, GetParam())) {
        GTEST_SKIP() << "neither this compositor nor the driver has the mode";
    }
    const TestSwapchain swapchain(client.context, client.surface.handle,
                                  {.extent = size, .mode = GetParam()});
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
    uint32_t next_proxy = 0; ///< libwayland gives out the lowest free number
};
Belongings belongings(const Client& client) {
    Belongings all;
    all.descriptors = open_descriptors();
    std::ifstream("/proc/self/statm") >> all.resident_pages >> all.resident_pages;
    all.next_proxy = client.display.next_object();
    return all;
}

/// FENCEBRIDGE_PRESENTS: how many; the long run has 10,000.
unsigned presents() {
    const std::string wanted = variable("FENCEBRIDGE_PRESENTS");
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
        if (has_mode(client, mode)) {
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
        if (round == warm_up) {
            early = belongings(client);
        }
    }
    const Belongings late = belongings(client);
    // What is in use differs by a few images and by what a mode takes; a leak is one for each of
    // dozens of images, or one a frame.
    constexpr unsigned of_one_swapchain = 14;
    EXPECT_LE(late.descriptors, early.descriptors + of_one_swapchain);
    EXPECT_LE(late.next_proxy, early.next_proxy + of_one_swapchain);
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
    const TestSwapchain one(client.context, client.surface.handle, {.extent = size});
    const TestSwapchain other(client.context, other_surface.handle, {.extent = {128, 128}});
    CommandBuffer commands(client.context);
    for (int frame = 0; frame < 20; ++frame) {
        const std::array indices{one.acquire(), other.acquire()};
        const VkClearColorValue colour = colour_of(new_value);
        commands.begin();
        for (VkImage image : {one.images.at(indices[0]), other.images.at(indices[1])}) {
            commands.change_layout(image, VK_IMAGE_LAYOUT_UNDEFINED,
                                   VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
            vkCmdClearColorImage(commands.handle, image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                 &colour, 1, &whole_image);
            commands.change_layout(image, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                                   VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
        }
        commands.end();
        const VkSemaphore drawn = one.drawn(indices[0]);
        FB_VK(submit(client.context.queue, commands, VK_NULL_HANDLE, {.signal = drawn}));
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
        EXPECT_GE(vkQueuePresentKHR(client.context.queue, &info), 0);
        EXPECT_GE(results[0], 0);
        EXPECT_GE(results[1], 0);
        FB_VK(vkQueueWaitIdle(client.context.queue));
    }
    EXPECT_EQ(client.display.protocol_error(), "");
}

TEST(OtherThread, MayUseTheDisplayAtTheSameTime) {
    Client client(Layers::Bridge);
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = size});
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
    for (const char* const extension : needed) {
        if (!VulkanContext({}).supports(extension)) {
            GTEST_SKIP() << "the driver has no " << extension;
        }
    }
    Client client(Layers::Bridge, {.device_extensions = needed});
    const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = size});
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

/// An application of somebody else's, with a Vulkan 1.0 instance.
ChildResult vkcube(bool bridged, const std::string& setting) {
    Environment environment = environment_for(bridged);
    environment["VK_FENCEBRIDGE_PRESENT"] = setting;
    return run_child({"/usr/bin/vkcube", "--wsi", "wayland", "--c", "40"}, environment);
}
TEST(Vkcube, PresentsEveryFrameWithAFence) {
    const ChildResult cube = vkcube(true, "owned");
    EXPECT_EQ(cube.exit_status, 0) << cube.err;
    EXPECT_NE((cube.out + cube.err).find("releases 40 (fences attached 40"), std::string::npos)
        << cube.out << cube.err;
}
TEST(VkcubeOff, RunsAsWell) {
    EXPECT_EQ(vkcube(false, "owned").exit_status, 0);
}

/// sway's own tool; the other compositors' pictures take more than a compositor to be taken.
class Picture : public testing::Test {
protected:
    void SetUp() override {
        if (compositor_name() != "sway") {
            GTEST_SKIP() << "grim takes pictures of wlroots' compositors";
        }
    }

    /// The screen with the client's quartered picture on it, as a PPM file's bytes.
    static std::string picture(Layers layers, const std::string& name) {
        Client client(layers);
        const TestSwapchain swapchain(client.context, client.surface.handle, {.extent = size});
        CommandBuffer commands(client.context);
        for (int frame = 0; frame < 3; ++frame) {
            const uint32_t index = swapchain.acquire();
            record_picture(commands, swapchain.images.at(index), 0x00ff8040);
            client.window.watch_next_frame();
            swapchain.present(commands, index);
            EXPECT_TRUE(client.window.wait_for_frame(std::chrono::seconds(10)));
            FB_VK(vkQueueWaitIdle(client.context.queue));
        }
        const std::string file = output_file("-" + name);
        EXPECT_EQ(run_child({"/usr/bin/grim", file + ".png"}).exit_status, 0);
        const ChildResult grim = run_child({"/usr/bin/grim", "-t", "ppm", "-"});
        EXPECT_EQ(grim.exit_status, 0) << grim.err;
        return grim.out;
    }
};
TEST_F(Picture, IsTheDriversOwn) {
    const std::string drivers = picture(Layers::None, "native");
    const std::string ours = picture(Layers::Bridge, "owned");
    EXPECT_FALSE(drivers.empty());
    EXPECT_TRUE(drivers == ours) << "the pictures differ: see " << output_file("-*.png");
}

} // namespace
} // namespace fencebridge::test
