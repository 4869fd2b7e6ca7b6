// 8 threads hand 200 buffers of a real driver off at random, through the loader and the layer, and
// every step is held against a model of the fences on each dma-buf (stress/fence_model.hpp).
//
// The GPU works when it likes here, so the model knows of our own work by what it leaves behind.
// Each submit writes a number of its own into every buffer that it releases as written, and a last
// word for the CPU when all is done; each peer writes its number into its buffer before its fence
// (vgem) signals.
//   - While a submit's number is not in the buffer, a fence must stand on it: poll() and
//     EXPORT_SYNC_FILE must say so, the one for readers and writers, or, after reading only, for
//     writers alone. Poll first, look at the word after: a look that finds no fence and no number
//     is a torn frame.
//   - When the fences on a buffer, exported after the submit's, have signalled, the number must be
//     there; and from then on nothing of that submit may be pending: neither readers nor writers
//     may be held up by anything that the model does not know.
//   - Work that acquires reads what peers wrote, on the GPU: the number of every peer whose fence
//     stood there before the submit must be in what it has read (of writers; of readers where it
//     acquires for writing).
//   - Behind a timeline that the host has not signalled, no fence stands on any buffer; when
//     vkSignalSemaphore has returned, all do.
//   - The application's own fence means that the numbers are all there.
// kernel/stress_test.cpp is the exact half of it (and has 4 queues, where the guest's drivers have
// one): there the GPU works when the test says so.
//
// The seed is printed. FENCEBRIDGE_SEED draws the same operations again, in each thread by itself
// (how the threads interleave is the scheduler's business); FENCEBRIDGE_STRESS_OPERATIONS says how
// many.
#include "driver/stress_thread.hpp"
#include "stress/stress_run.hpp"
#include "support/few_descriptors.hpp"
#include "support/stderr_copy.hpp"
#include "support/vgem.hpp"

#include <gtest/gtest.h>
#include <vulkan/vulkan.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

/// And, without the layer and before descriptors are counted, fewer.
#ifdef FENCEBRIDGE_SANITIZED
constexpr uint64_t standard_operations = 600;
constexpr uint64_t few_operations = 400;
#else
constexpr uint64_t standard_operations = 2'500;
constexpr uint64_t few_operations = 800;
#endif
static_assert(thread_count * StressThread::recording_count <= recording_words);
/// Descriptors that the driver and the layer may keep for later, and second imports of buffers.
constexpr unsigned long kept_descriptors = 2 * shared_buffer_count + 100;

/// Those that loader and driver keep for the process, whatever became of the device.
constexpr unsigned long drivers_descriptors = 4;

class Stress {
public:
    Stress(Layers layers, uint64_t seed, Differences& differences)
        : context_({.layers = layers, .queue_count = 4}), world_(context_, differences) {
        for (size_t i = 0; i < thread_count; ++i) {
            threads_.push_back(std::make_unique<StressThread>(world_, seed, i));
        }
    }

    /// All threads do their share at once; then everything that is pending is waited for.
    std::chrono::duration<double> run(uint64_t operations) {
        const auto took = run_at_once(threads_, operations);
        FB_VK(vkDeviceWaitIdle(context_.device));
        world_.settle();
        return took;
    }

    unsigned long descriptors() { return open_descriptors() - world_.fences.descriptors(); }

private:
    VulkanContext context_;
    StressWorld world_;
    std::vector<std::unique_ptr<StressThread>> threads_;
};

class StressOnDriver : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
        prepare_stress_run(seed);
    }

    const uint64_t seed = stress_seed();
};

TEST_F(StressOnDriver, AgreesWithTheModel) {
    const uint64_t operations = stress_operations(standard_operations);
    Differences differences(seed, true);
    StderrCopy log;
    {
        // What loader and driver open once a process.
        const VulkanContext first({.layers = Layers::Bridge});
    }
    const unsigned long before = open_descriptors();
    {
        Stress stress(Layers::Bridge, seed, differences);
        stress.run(few_operations);
        const unsigned long early = stress.descriptors();
        const auto took = stress.run(operations);
        const unsigned long late = stress.descriptors();
        EXPECT_LE(late, early + kept_descriptors) << "descriptors pile up";
        print_run(operations, took, differences,
                  "descriptors " + std::to_string(early) + ", then " + std::to_string(late));
    }
    EXPECT_LE(open_descriptors(), before + drivers_descriptors) << "descriptors were left behind";
    const std::string said = log.finish();
    EXPECT_EQ(differences.count(), 0U) << "repeat it with FENCEBRIDGE_SEED=" << seed;
    EXPECT_GT(differences.exact_checks(), differences.checks() / 2)
        << "too many checks had more than one right answer";
    EXPECT_EQ(said.find("fencebridge: warning"), std::string::npos) << said;
    EXPECT_EQ(said.find("fencebridge: error"), std::string::npos) << said;
    EXPECT_NE(said.find("fallbacks 0,"), std::string::npos) << said;
    record_differences("differences", differences, operations);
}

/// Were there no differences without the layer, the test above would prove nothing.
TEST_F(StressOnDriver, FindsDifferencesWithoutTheLayer) {
    Differences differences(seed, false);
    {
        Stress stress(Layers::None, seed, differences);
        stress.run(few_operations);
    }
    std::printf("%llu differences in %llu operations\n",
                static_cast<unsigned long long>(differences.count()),
                static_cast<unsigned long long>(few_operations));
    EXPECT_GT(differences.count(), 0U);
}

} // namespace
} // namespace fencebridge::test
