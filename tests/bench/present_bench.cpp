// How long vkQueuePresentKHR and vkAcquireNextImageKHR block the application's frame loop: on the
// driver's own swapchain, on the layer's, and with the wait on the CPU. Frame by frame in turn, so
// that the machine's noise meets all alike. On nobody's surface; and in a window, where a
// compositor of the guest's can be had.
#include "bench/figures.hpp"
#include "support/compositor.hpp"
#include "support/headless_swapchain.hpp"
#include "support/presented_frame.hpp"
#include "support/wayland_window.hpp"

#include <chrono>
#include <cstdlib>
#include <ctime>
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

using CpuTime = std::chrono::duration<double, std::micro>;

/// CPU time used so far: by this thread, or by the whole process.
CpuTime cpu_time(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
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
        const CpuTime process = cpu_time(CLOCK_PROCESS_CPUTIME_ID);
        CpuTime thread = cpu_time(CLOCK_THREAD_CPUTIME_ID);
        const auto start = Clock::now();
        const uint32_t index = swapchain->acquire();
        const auto acquired = Clock::now();
        CpuTime in_calls = cpu_time(CLOCK_THREAD_CPUTIME_ID) - thread;
        record_picture(commands, swapchain->images.at(index), 1, &work, work_length);
        FB_VK(submit(context.queue, commands, drawn.handle, {.signal = swapchain->drawn(index)}));
        thread = cpu_time(CLOCK_THREAD_CPUTIME_ID);
        const auto submitted = Clock::now();
        swapchain->present_drawn(index);
        const std::chrono::duration<double, std::micro> in_present = Clock::now() - submitted;
        in_calls += cpu_time(CLOCK_THREAD_CPUTIME_ID) - thread;
        const std::chrono::duration<double, std::micro> in_acquire = acquired - start;
        FB_VK(drawn.wait());
        drawn.reset();
        present_us.add(in_present.count());
        acquire_us.add(in_acquire.count());
        calls_cpu_us.add(in_calls.count());
        // With the threads of driver and layer, and the same drawing for all.
        frame_cpu_us.add((cpu_time(CLOCK_PROCESS_CPUTIME_ID) - process).count());
    }

    std::string name;
    VulkanContext context;
    LongWork work;
    CommandBuffer commands;
    Fence drawn;
    std::vector<std::shared_ptr<void>> window; ///< what the swapchain stands on
    std::unique_ptr<TestSwapchain> swapchain;
    Series present_us;
    Series acquire_us;
    Series calls_cpu_us;
    Series frame_cpu_us;
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
    const std::string prefix = "present/" + where + "/";
    for (const auto& one : contestants) {
        report(prefix + "blocked/" + one->name, one->present_us, "us");
        report(prefix + "acquire/" + one->name, one->acquire_us, "us");
        report(prefix + "calls_cpu/" + one->name, one->calls_cpu_us, "us");
        report(prefix + "frame_cpu/" + one->name, one->frame_cpu_us, "us");
    }
    const Contestant& native = *contestants[0];
    const Contestant& owned = *contestants[1];
    const Contestant& wait = *contestants[2];
    report(prefix + "native_over_owned", native.present_us.median() / owned.present_us.median(),
           "ratio");
    report(prefix + "wait_over_owned", wait.present_us.median() / owned.present_us.median(),
           "ratio");
    const bool is_venus = owned.context.driver == VK_DRIVER_ID_MESA_VENUS;
    report(prefix + "owned_over_native_cpu",
           owned.frame_cpu_us.median() / native.frame_cpu_us.median(), "ratio",
           is_venus ? at_most(1.1) : Bar{});
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
