// How the layer's costs grow: with tracked resources, with exported dma-bufs, with barriers in a
// command buffer, with threads. On this machine's CPU at its full speed, with lavapipe and memfds
// in place of dma-bufs (memfd_layer.cpp); a submit here hands nothing off.
#include "bench/figures.hpp"
#include "bench/layer_sets.hpp"
#include "bench/passthrough_calls.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <malloc.h>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

constexpr int rounds = 200;

std::unique_ptr<Caller> open(bool is_bridged, uint32_t resources) {
    ContextOptions options = with_headless_swapchain({.shares_memory = true});
    options.layers = is_bridged ? Layers::Bridge : Layers::None;
    options.settings = {{"LOG_LEVEL", "error"}};
    options.environment = {{"VK_INSTANCE_LAYERS", "VK_LAYER_TEST_memfd"}};
    return std::make_unique<Caller>(std::make_unique<VulkanContext>(options), true, resources);
}

MeasuredCall call_named(const std::string& name) {
    return *std::ranges::find(measured_calls(), name, &MeasuredCall::name);
}

size_t heap_in_use() {
    return ::mallinfo2().uordblks;
}

/// Buffers on one exported memory: what a submit that names none of them costs, and what each
/// costs to remember.
void resources() {
    constexpr std::array<uint32_t, 5> counts{10, 100, 1000, 10'000, 100'000};
    std::vector<std::unique_ptr<Caller>> bridged;
    std::unique_ptr<Caller> bare = open(false, counts.front());
    for (const uint32_t count : counts) {
        const size_t before = heap_in_use();
        bridged.push_back(open(true, count));
        const size_t with_layer = heap_in_use() - before;
        if (count == counts.back()) {
            const size_t start = heap_in_use();
            const std::unique_ptr<Caller> without = open(false, count);
            const size_t without_layer = heap_in_use() - start;
            report("growth/resources/bytes_each",
                   (static_cast<double>(with_layer) - static_cast<double>(without_layer)) / count,
                   "B");
        }
    }
    for (const char* const name : {"vkQueueSubmit", "vkQueueSubmit_work"}) {
        const MeasuredCall call = call_named(name);
        Series none;
        std::array<Series, counts.size()> with;
        for (int round = 0; round < rounds; ++round) {
            none.add(ns_of(call, *bare));
            for (size_t i = 0; i < counts.size(); ++i) {
                with.at(i).add(ns_of(call, *bridged.at(i)));
            }
        }
        const std::string prefix = std::string("growth/resources/") + name + "/";
        for (size_t i = 0; i < counts.size(); ++i) {
            report(prefix + std::to_string(counts.at(i)) + "/added_ns", with.at(i).minus(none),
                   "ns", at_most(60));
        }
        report(prefix + "most_over_fewest", with.back().median() / with.front().median(), "ratio",
               at_most(1.1));
    }
}

/// Memories that are exported one by one: what the layer adds to vkGetMemoryFdKHR.
void dma_bufs(size_t most) {
    constexpr size_t piece = 100;
    const auto export_all = [most](bool is_bridged) {
        const std::unique_ptr<Caller> caller = open(is_bridged, 1);
        const VkDevice device = caller->context->device;
        const auto get_fd = caller->context->function<PFN_vkGetMemoryFdKHR>("vkGetMemoryFdKHR");
        const VkExportMemoryAllocateInfo exported{
            .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        };
        const VkMemoryAllocateInfo allocation{
            .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
            .pNext = &exported,
            .allocationSize = 4096,
        };
        std::vector<VkDeviceMemory> memories(most);
        std::vector<double> ns;
        for (size_t first = 0; first + piece <= most; first += piece) {
            std::chrono::duration<double, std::nano> took{};
            for (size_t i = first; i < first + piece; ++i) {
                FB_VK(vkAllocateMemory(device, &allocation, nullptr, &memories[i]));
                const VkMemoryGetFdInfoKHR info{
                    .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
                    .memory = memories[i],
                    .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
                };
                int fd = -1;
                const auto start = Clock::now();
                FB_VK(get_fd(device, &info, &fd));
                took += Clock::now() - start;
                (void)::close(fd);
            }
            ns.push_back(took.count() / piece);
        }
        for (const VkDeviceMemory memory : memories) { // Those behind the last piece are null.
            vkFreeMemory(device, memory, nullptr);
        }
        return ns;
    };
    const std::vector<double> without = export_all(false);
    const std::vector<double> with = export_all(true);
    const auto added = [&](size_t from) {
        Series series;
        for (size_t i = from; i < from + 10; ++i) {
            series.add(with.at(i) - without.at(i));
        }
        return series;
    };
    report("growth/dma_bufs/1000/export_added_ns", added(0), "ns");
    report("growth/dma_bufs/" + std::to_string(most) + "/export_added_ns", added(most / piece - 10),
           "ns");
}

/// Barriers of memory, which concern nobody, and those of one shared buffer, which may be
/// hand-offs.
void barriers() {
    for (const bool is_shared : {false, true}) {
        const std::unique_ptr<Caller> bare = open(false, 1);
        const std::unique_ptr<Caller> bridged = open(true, 1);
        for (const uint32_t count : {1U, 10U, 100U, 1000U, 10'000U}) {
            Series added;
            for (int round = 0; round < 60; ++round) {
                std::array<double, 2> ns{};
                for (const bool is_bridged : {false, true}) {
                    Caller& caller = is_bridged ? *bridged : *bare;
                    caller.scratch.begin();
                    const auto start = Clock::now();
                    caller.record_barriers(count, is_shared);
                    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
                    caller.scratch.end();
                    FB_VK(vkResetCommandBuffer(caller.scratch.handle, 0));
                    ns.at(is_bridged ? 1 : 0) = took.count() / count;
                }
                added.add(ns[1] - ns[0]);
            }
            report(std::string("growth/barriers/") + (is_shared ? "shared/" : "memory/") +
                       std::to_string(count) + "/added_ns",
                   added, "ns");
        }
    }
}

/// Submits a second of all threads, each on a device, a queue and a command buffer of its own (the
/// drivers of this machine have one queue a device), to the end of their work.
double throughput(bool is_bridged, size_t threads) {
    std::vector<std::unique_ptr<Caller>> callers;
    for (size_t i = 0; i < threads; ++i) {
        callers.push_back(open(is_bridged, 10));
    }
    const MeasuredCall call = call_named("vkQueueSubmit_work");
    constexpr int calls_each = 100;
    std::atomic<bool> is_on = false;
    std::vector<std::thread> running;
    for (const auto& caller : callers) {
        running.emplace_back([&call, &is_on, one = caller.get()] {
            while (!is_on) {
                std::this_thread::yield();
            }
            for (int i = 0; i < calls_each; ++i) {
                call.run(*one, call.count);
            }
            FB_VK(vkQueueWaitIdle(one->context->queue));
        });
    }
    const auto start = Clock::now();
    is_on = true;
    for (std::thread& thread : running) {
        thread.join();
    }
    const std::chrono::duration<double> took = Clock::now() - start;
    return static_cast<double>(threads) * calls_each * call.count / took.count();
}

void threads() {
    for (const size_t count : {1U, 2U, 4U, 8U, 16U}) {
        Series ratio;
        for (int round = 0; round < 7; ++round) {
            const double without = throughput(false, count);
            ratio.add(throughput(true, count) / without);
        }
        report("growth/threads/" + std::to_string(count) + "/throughput_over_none", ratio, "ratio",
               count == 16 ? at_least(0.97) : Bar{});
    }
}

} // namespace

int main() {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
    resources();
    // Each dma-buf has two descriptors of the driver's and one of ours; some are for other things.
    dma_bufs(std::clamp<size_t>((files.rlim_max - 1000) / 3 / 100 * 100, 1000, 10'000));
    barriers();
    threads();
    return EXIT_SUCCESS;
}
