// What each call costs on this machine. Figures, held against nothing: a slow machine is no
// failure, a call that fails is.
#include "fence/dma_buf.hpp"
#include "fence/wait_source.hpp"
#include "hardware/hardware_test.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"
#include "support/results.hpp"
#include "support/vulkan_commands.hpp"

#include <linux/dma-buf.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

using clock = std::chrono::steady_clock;

/// The times of one call, in microseconds.
class Times {
public:
    template<typename Call>
    void add(Call&& call) {
        const auto start = clock::now();
        call();
        const std::chrono::duration<double, std::micro> took = clock::now() - start;
        all_.push_back(took.count());
    }

    void record(const std::string& what) {
        std::sort(all_.begin(), all_.end());
        const std::string spread =
            "median; 5 % to 95 %: " + std::to_string(at(0.05)) + " to " + std::to_string(at(0.95));
        std::printf("%-32s %10.3f us (%s)\n", what.c_str(), at(0.5), spread.c_str());
        record_value("hardware/cost/" + what, at(0.5), "us", "", true, spread);
    }

private:
    double at(double share) const {
        return all_[static_cast<size_t>(share * static_cast<double>(all_.size() - 1))];
    }
    std::vector<double> all_;
};

using CostOfIoctls = CudaTest;
TEST_F(CostOfIoctls, OnAnIdleBuffer) {
    constexpr int rounds = 2000;
    Times exports;
    Times imports;
    Times polls;
    Times probes;
    const auto ours = fencebridge::DmaBuf::of(dma_buf());
    ASSERT_NE(ours, nullptr);
    for (int round = 0; round < rounds; ++round) {
        Exported exported;
        exports.add([&] { exported = export_sync_file(dma_buf(), DMA_BUF_SYNC_READ); });
        ASSERT_EQ(exported.error, 0);
        int error = 0;
        imports.add([&] {
            error = import_sync_file(dma_buf(), exported.sync_file.get(), DMA_BUF_SYNC_WRITE);
        });
        ASSERT_EQ(error, 0);
        bool ready = false;
        polls.add([&] { ready = is_ready(dma_buf(), POLLIN); });
        ASSERT_TRUE(ready);
        KernelSupport support = KernelSupport::Unknown;
        probes.add([&] { support = ours->probe(); });
        ASSERT_EQ(support, KernelSupport::Full);
    }
    exports.record("export_sync_file");
    imports.record("import_sync_file");
    polls.record("poll");
    probes.record("probe");
}

/// One device, with or without the layer, and an empty command buffer.
struct Contestant {
    explicit Contestant(Layers layers) : context({.layers = layers}), commands(context) {
        commands.begin();
        commands.end();
    }
    VulkanContext context;
    CommandBuffer commands;
};

/// In turn, round by round: the machine's noise meets all alike.
TEST(CostOfSubmits, OfEmptyWork) {
    if (const std::string missing = missing_gpu(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    constexpr int rounds = 1000;
    const Contestant off(Layers::None);
    const Contestant on(Layers::Bridge);
    const Fence off_done(off.context);
    const Fence on_done(on.context);
    VkuDeviceDispatchTable calls{};
    vkuInitDeviceDispatchTable(off.context.device, &calls, vkGetDeviceProcAddr);
    WaitSource source({.device = off.context.device, .next = &calls});
    Times submits_off;
    Times submits_on;
    Times waits;
    Times with_source;
    for (int round = 0; round < rounds; ++round) {
        submits_off.add([&] { FB_VK(submit(off.context.queue, off.commands, off_done.handle)); });
        waits.add([&] { FB_VK(off_done.wait()); });
        off_done.reset();
        submits_on.add([&] { FB_VK(submit(on.context.queue, on.commands, on_done.handle)); });
        FB_VK(on_done.wait());
        on_done.reset();
        ProxyFence no_guard;
        Completion completion;
        with_source.add([&] {
            const auto ticket = source.begin(VK_NULL_HANDLE);
            FB_VK(submit(off.context.queue, off.commands, ticket.value().fence));
            completion = source.take(*ticket, {}, no_guard);
        });
        ASSERT_EQ(completion.state, Completion::State::Done);
    }
    submits_off.record("submit/off");
    submits_on.record("submit/layer");
    waits.record("wait_for_fence_after_submit");
    with_source.record("submit_and_wait_source");
}

} // namespace
} // namespace fencebridge::test
