// How long vkQueueSubmit blocks the application when it hands a buffer out: without the layer, with
// the source that the layer picks, and with the CPU wait that applications use today. All in one
// run, round by round in turn, so that the machine's noise meets all three alike.
#include "support/results.hpp"
#include "support/vulkan_commands.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace fencebridge::test;

constexpr int rounds = 60;
constexpr std::chrono::milliseconds work_length{30};

/// One device, with or without the layer, and what it has measured.
struct Contestant {
    Contestant(std::string label, const ContextOptions& options)
        : name(std::move(label)), context(options), work(context), shared(context, {1024, 16}),
          commands(context), done(context) {
        commands.begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
        commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        work.record(commands, work_length);
        commands.fill(shared, 1);
        commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands.end();
    }

    void run_once() {
        const auto before = std::chrono::steady_clock::now();
        FB_VK(submit(context.queue, commands, done.handle));
        const std::chrono::duration<double, std::micro> took =
            std::chrono::steady_clock::now() - before;
        blocked_us.push_back(took.count());
        FB_VK(done.wait());
        done.reset();
    }

    double quantile(double share) {
        const auto index =
            static_cast<std::ptrdiff_t>(share * static_cast<double>(blocked_us.size() - 1));
        std::nth_element(blocked_us.begin(), blocked_us.begin() + index, blocked_us.end());
        return blocked_us[static_cast<size_t>(index)];
    }

    std::string name;
    VulkanContext context;
    LongWork work;
    SharedBuffer shared;
    CommandBuffer commands;
    Fence done;
    std::vector<double> blocked_us;
};

} // namespace

int main() {
    Contestant off("off", {});
    Contestant layer("layer", {.layers = Layers::Bridge});
    Contestant wait("wait", {.layers = Layers::Bridge, .settings = {{"FENCE_SOURCE", "wait"}}});
    for (int round = 0; round < rounds; ++round) {
        for (Contestant* contestant : {&off, &layer, &wait}) {
            contestant->run_once();
        }
    }
    for (Contestant* contestant : {&off, &layer, &wait}) {
        const double median = contestant->quantile(0.5);
        const std::string spread = "5 % to 95 %: " + std::to_string(contestant->quantile(0.05)) +
                                   " to " + std::to_string(contestant->quantile(0.95));
        std::printf("vkQueueSubmit blocked, %-5s: median %10.1f us (%s)\n",
                    contestant->name.c_str(), median, spread.c_str());
        record_value("blocked/submit/" + contestant->name, median, "us", "", true, spread);
    }
    const double layer_over_off = layer.quantile(0.5) / off.quantile(0.5);
    const double wait_over_layer = wait.quantile(0.5) / layer.quantile(0.5);
    std::printf("layer over no layer: %.2f, wait over layer: %.2f\n", layer_over_off,
                wait_over_layer);
    record_value("blocked/submit/layer_over_off", layer_over_off, "ratio", "", true);
    record_value("blocked/submit/wait_over_attach", wait_over_layer, "ratio", "", true,
                 "about 1 where the driver has no fence to attach and `auto` is `wait`");
    return EXIT_SUCCESS;
}
