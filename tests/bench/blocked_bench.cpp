// How long vkQueueSubmit blocks the application when it hands a buffer out, and when it takes one
// back that a peer still works on: without the layer, with what the layer picks, and by the other
// ways, among them the CPU wait that applications use today. All in one run, round by round in
// turn, so that the machine's noise meets all alike.
#include "bench/figures.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/vgem.hpp"
#include "support/vulkan_commands.hpp"

#include <linux/dma-buf.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 60;
constexpr std::chrono::milliseconds work_length{30};
// What a release costs is an emulated processor's time in the guest, and the work is not.
constexpr int long_rounds = 20;
constexpr std::chrono::milliseconds long_work{150};
constexpr std::chrono::milliseconds peer_time{30};

/// One device, with or without the layer, and what it has measured.
struct Contestant {
    Contestant(std::string label, Layers layers,
               std::vector<std::pair<std::string, std::string>> settings)
        : name(std::move(label)), context({.layers = layers, .settings = std::move(settings)}),
          work(context), shared(context, {1024, 16}), commands(context), done(context) {}

    void record(std::chrono::milliseconds work_takes) {
        commands.begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
        commands.acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        if (work_takes > std::chrono::milliseconds::zero()) {
            work.record(commands, work_takes);
        }
        commands.fill(shared, 1);
        commands.release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands.end();
    }

    void submit_once() {
        const auto before = Clock::now();
        FB_VK(submit(context.queue, commands, done.handle));
        const std::chrono::duration<double, std::micro> took = Clock::now() - before;
        blocked_us.add(took.count());
    }
    void finish() const {
        FB_VK(done.wait());
        done.reset();
    }

    const std::string name;
    const VulkanContext context;
    const LongWork work;
    const SharedBuffer shared;
    CommandBuffer commands;
    const Fence done;
    Series blocked_us;
};

double median_of(const Contestant& one, const std::string& what) {
    report("blocked/" + what + "/" + one.name, one.blocked_us, "us");
    return one.blocked_us.median();
}

void measure_releases(const std::string& what, std::chrono::milliseconds work_takes, int times) {
    Contestant off("off", Layers::None, {});
    Contestant layer("layer", Layers::Bridge, {});
    Contestant wait("wait", Layers::Bridge, {{"FENCE_SOURCE", "wait"}});
    for (Contestant* one : {&off, &layer, &wait}) {
        one->record(work_takes);
    }
    for (int round = 0; round < times; ++round) {
        for (Contestant* one : {&off, &layer, &wait}) {
            one->submit_once();
            one->finish();
        }
    }
    const double with_off = median_of(off, what);
    const double with_layer = median_of(layer, what);
    const double with_wait = median_of(wait, what);
    report("blocked/" + what + "/layer_over_off", with_layer / with_off, "ratio");
    // Where the driver has no fence to attach, and `auto` is `wait`, this is about 1.
    report("blocked/" + what + "/wait_over_attach", with_wait / with_layer, "ratio", at_least(100));
}

/// A peer that is done with the buffer when its time has come.
class Peer {
public:
    explicit Peer(const SharedBuffer& shared)
        : fence_(pending_fence()), thread_([this] {
              std::this_thread::sleep_for(peer_time);
              fence_.signal();
          }) {
        import_sync_file(shared.dma_buf, fence_.sync_file(), DMA_BUF_SYNC_WRITE);
    }
    ~Peer() { thread_.join(); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

private:
    VgemFence fence_;
    std::thread thread_;
};

/// Without the layer nothing waits at all: `off` is what the driver's own part costs.
void measure_acquires() {
    Contestant off("off", Layers::None, {});
    Contestant layer("layer", Layers::Bridge, {});
    Contestant import("import", Layers::Bridge, {{"ACQUIRE", "import"}});
    Contestant thread("thread", Layers::Bridge, {{"ACQUIRE", "thread"}});
    Contestant poll("poll", Layers::Bridge, {{"ACQUIRE", "poll"}});
    for (Contestant* one : {&off, &layer, &import, &thread, &poll}) {
        one->record(std::chrono::milliseconds::zero());
    }
    for (int round = 0; round < rounds; ++round) {
        for (Contestant* one : {&off, &layer, &import, &thread, &poll}) {
            const Peer peer(one->shared);
            one->submit_once();
            one->finish();
        }
    }
    for (const Contestant* one : {&off, &import, &thread}) {
        (void)median_of(*one, "acquire");
    }
    report("blocked/acquire/poll_over_layer",
           median_of(poll, "acquire") / median_of(layer, "acquire"), "ratio");
}

} // namespace

int main() {
    measure_releases("submit", work_length, rounds);
    measure_releases("submit_of_long_work", long_work, long_rounds);
    if (const std::string missing = missing_vgem(); missing.empty()) {
        measure_acquires();
    } else {
        std::printf("no acquires: %s\n", missing.c_str());
    }
    return EXIT_SUCCESS;
}
