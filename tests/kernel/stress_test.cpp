// 8 threads hand 200 buffers off at random, on 4 queues, and every step is held against a model of
// the fences on each dma-buf (stress/fence_model.hpp).
//
// The layer's bridge, the dma-bufs (udmabuf), the peers' fences and the GPU's (vgem) are real; only
// the GPU is simulated (simulated_gpu.hpp): its work goes on when a thread draws "work", so nothing
// signals behind the test's back and the model is exact. It knows each fence by itself, so that not
// only poll() is foretold but the number of fences that EXPORT_SYNC_FILE gives out. What is
// checked:
//   - after each hand-off, each peer's fence and its signal, and now and then: poll() and
//     EXPORT_SYNC_FILE, for readers and for writers, say what the model says, no more and no less;
//   - at the driver: each batch got at most one wait, of just the fences that its acquires had to
//   meet;
//   - when the GPU works: no batch starts before what it acquires, none waits for nothing;
//   - a fence on a dma-buf signals with, and not before, the last batch that releases in its
//   submit;
//   - releases behind an unsubmitted timeline signal are put off, and attached by the call that
//     resolves them, be it the host's or another queue's submit;
//   - the application's fences signal with their own work, also where the layer took their slot;
//   - at the end: no descriptor, semaphore or fence more than before, no fallback, no broken rule.
//
// The seed is printed. FENCEBRIDGE_SEED draws the same operations again, in each thread by itself
// (how the threads interleave is the scheduler's business); FENCEBRIDGE_STRESS_OPERATIONS says how
// many.
#include "kernel/stress_thread.hpp"
#include "report/log.hpp"
#include "stress/stress_run.hpp"
#include "support/few_descriptors.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

#ifdef FENCEBRIDGE_SANITIZED
constexpr uint64_t standard_operations = 1'000;
/// Without the layer, and before descriptors are counted.
constexpr uint64_t few_operations = 400;
#else
constexpr uint64_t standard_operations = 15'000;
constexpr uint64_t few_operations = 2'000;
#endif
/// Descriptors that a queue may keep for later: sync_files of submits that promise completions.
constexpr unsigned long kept_descriptors = 64;

class Stress {
public:
    Stress(const StressOptions& options, Differences& differences) : world(options, differences) {
        for (size_t i = 0; i < thread_count; ++i) {
            threads_.push_back(std::make_unique<StressThread>(world, i));
        }
    }

    /// All threads do their share at once; then everything that is pending is ended.
    std::chrono::duration<double> run(uint64_t operations) {
        const auto took = run_at_once(threads_, operations);
        world.settle();
        for (const auto& thread : threads_) {
            thread->settle();
        }
        return took;
    }

    /// All but those that are kept for later fences.
    unsigned long descriptors() { return open_descriptors() - world.fences.descriptors(); }

    StressWorld world;

private:
    std::vector<std::unique_ptr<StressThread>> threads_;
};

class StressOnKernel : public testing::TestWithParam<SourceKind> {
protected:
    void SetUp() override {
        for (const std::string& missing : {missing_vgem(), missing_udmabuf()}) {
            if (!missing.empty()) {
                GTEST_SKIP() << missing;
            }
        }
        prepare_stress_run(seed);
        set_log_level(LogLevel::Warn);
    }
    void TearDown() override { set_log_level(LogLevel::Info); }

    const uint64_t seed = stress_seed();
};

TEST_P(StressOnKernel, AgreesWithTheModel) {
    const uint64_t operations = stress_operations(
        GetParam() == SourceKind::Semaphore ? standard_operations : standard_operations / 4);
    const unsigned long before = open_descriptors();
    Differences differences(seed, true);
    {
        Stress stress({.source = GetParam(), .with_layer = true, .seed = seed}, differences);
        stress.run(few_operations);
        const unsigned long early = stress.descriptors();
        const auto took = stress.run(operations);
        EXPECT_LE(stress.descriptors(), early + kept_descriptors) << "descriptors pile up";

        const Counters& counters = stress.world.device.counters;
        EXPECT_EQ(counters.fallbacks, 0U);
        EXPECT_EQ(counters.waits_on_cpu, 0U);
        // A test that did not get where it wanted to look proves nothing.
        EXPECT_GT(counters.fences_attached, operations / 20);
        if (operations >= 100'000) {
            // A matter of chance: the GPU has to be quicker than the layer's export.
            EXPECT_GT(counters.releases_done, 0U);
        }
        EXPECT_GT(counters.waits_imported, operations / 100);
        EXPECT_GT(counters.acquires_idle, operations / 100);
        EXPECT_GT(counters.parked, operations / 1000);
        print_run(operations, took, differences,
                  "fences attached " + std::to_string(counters.fences_attached) +
                      ", waits imported " + std::to_string(counters.waits_imported) + ", parked " +
                      std::to_string(counters.parked));
    }
    EXPECT_EQ(differences.count(), 0U) << "repeat it with FENCEBRIDGE_SEED=" << seed;
    EXPECT_GT(differences.exact_checks(), differences.checks() * 9 / 10)
        << "the threads were in each other's way: too many checks had more than one right answer";
    EXPECT_EQ(open_descriptors(), before) << "descriptors were left behind";
    record_differences(std::string("differences, source ") + name(GetParam()), differences,
                       operations);
}

/// Were there no differences without the layer, the test above would prove nothing.
TEST_P(StressOnKernel, FindsDifferencesWithoutTheLayer) {
    Differences differences(seed, false);
    {
        Stress stress({.source = GetParam(), .with_layer = false, .seed = seed}, differences);
        stress.run(few_operations);
    }
    std::printf("%llu differences in %llu operations\n",
                static_cast<unsigned long long>(differences.count()),
                static_cast<unsigned long long>(few_operations));
    EXPECT_GT(differences.count(), few_operations / 10);
}

INSTANTIATE_TEST_SUITE_P(Sources, StressOnKernel,
                         testing::Values(SourceKind::Semaphore, SourceKind::Fence),
                         [](const auto& instance) { return name(instance.param); });

} // namespace
} // namespace fencebridge::test
