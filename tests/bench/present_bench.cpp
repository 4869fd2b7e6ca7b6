// How long vkQueuePresentKHR and vkAcquireNextImageKHR block the application's frame loop: on the
// driver's own swapchain, on the layer's, and with the wait on the CPU. Frame by frame in turn, so
// that the machine's noise meets all alike. On nobody's surface; and in a window, where a
// compositor of the guest's can be had.
#include "support/compositor.hpp"
#include "support/headless_swapchain.hpp"
#include "support/presented_frame.hpp"
#include "support/results.hpp"
#include "support/wayland_window.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

constexpr int frames = 40;
constexpr std::chrono::milliseconds work_length{30};
constexpr Extent size{256, 192};

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// One device with a swapchain, by one way to present.
struct Contestant {
    Contestant(std::string label, std::string setting, const ContextOptions& options)
        : name(std::move(label)), context([&] {
              ContextOptions own = options;
              own.shares_memory = false;
              own.layers = setting.empty() ? Layers::None : Layers::Bridge;
              own.settings = {{"PRESENT", setting}};
              return own;
          }()),
          work(context), commands(context), drawn(context) {}

    void run_once() {
        const auto start = Clock::now();
        const uint32_t index = swapchain->acquire();
        const auto acquired = Clock::now();
        record_picture(commands, swapchain->images.at(index), 1, &work, work_length);
        FB_VK(submit(context.queue, commands, drawn.handle, {.signal = swapchain->drawn(index)}));
        const auto submitted = Clock::now();
        swapchain->present_drawn(index);
        const std::chrono::duration<double, std::micro> in_present = Clock::now() - submitted;
        const std::chrono::duration<double, std::micro> in_acquire = acquired - start;
        present_us.push_back(in_present.count());
        acquire_us.push_back(in_acquire.count());
        FB_VK(drawn.wait());
        drawn.reset();
    }

    std::string name;
    VulkanContext context;
    LongWork work;
    CommandBuffer commands;
    Fence drawn;
    std::vector<std::shared_ptr<void>> window; ///< what the swapchain stands on
    std::unique_ptr<TestSwapchain> swapchain;
    std::vector<double> present_us;
    std::vector<double> acquire_us;
};

using Prepare = std::function<VkSurfaceKHR(Contestant&)>;

void measure(const std::string& where, const ContextOptions& options, const Prepare& prepare) {
    std::vector<std::unique_ptr<Contestant>> contestants;
    for (const auto& [name, setting] :
         {std::pair("native", ""), std::pair("owned", "owned"), std::pair("wait", "wait")}) {
        Contestant& one =
            *contestants.emplace_back(std::make_unique<Contestant>(name, setting, options));
        one.swapchain = std::make_unique<TestSwapchain>(one.context, prepare(one),
                                                        SwapchainOptions{.extent = size});
    }
    for (int frame = 0; frame < frames; ++frame) {
        for (const auto& one : contestants) {
            one->run_once();
        }
    }
    for (const auto& one : contestants) {
        const double present = median(one->present_us);
        const double acquire = median(one->acquire_us);
        std::printf(
            "%-8s %-6s: vkQueuePresentKHR blocked %10.1f us, acquire (to its fence) %10.1f us\n",
            where.c_str(), one->name.c_str(), present, acquire);
        record_value("present/" + where + "/blocked/" + one->name, present, "us", "", true);
        record_value("present/" + where + "/acquire/" + one->name, acquire, "us", "", true);
    }
    const double owned = median(contestants[1]->present_us);
    record_value("present/" + where + "/native_over_owned",
                 median(contestants[0]->present_us) / owned, "ratio", "", true);
    record_value("present/" + where + "/wait_over_owned",
                 median(contestants[2]->present_us) / owned, "ratio", "", true);
    for (const auto& one : contestants) {
        vkDeviceWaitIdle(one->context.device);
        one->swapchain.reset();
        while (!one->window.empty()) {
            one->window.pop_back();
        }
    }
}

VkSurfaceKHR headless(Contestant& contestant) {
    auto surface = std::make_shared<HeadlessSurface>(contestant.context);
    const VkSurfaceKHR handle = surface->handle;
    contestant.window = {std::move(surface)};
    return handle;
}

VkSurfaceKHR wayland(Contestant& contestant) {
    auto display = std::make_shared<WaylandDisplay>();
    auto window = std::make_shared<WaylandWindow>(*display, contestant.name);
    auto surface = std::make_shared<WaylandVkSurface>(contestant.context, *display, *window);
    const VkSurfaceKHR handle = surface->handle;
    contestant.window = {display, window, surface};
    return handle;
}

} // namespace

int main() {
    measure("headless", with_headless_swapchain(), headless);
    const char* const driver = std::getenv("FENCEBRIDGE_DRIVER"); // NOLINT(concurrency-mt-unsafe)
    if (driver != nullptr && std::string(driver) == "venus") {
        // weston: without linux-drm-syncobj, so that the driver's own presents are implicit as
        // well.
        const std::filesystem::path log = std::filesystem::temp_directory_path() / "weston.log";
        const Compositor compositor("weston", false, log.string());
        measure("weston", with_wayland(), wayland);
    }
    return EXIT_SUCCESS;
}
