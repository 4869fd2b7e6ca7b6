// Memory that runs out: before the submit nothing has happened, after it no hand-off is lost.
#include "unit/allocation_counter.hpp"
#include "unit/submitter_test.hpp"
#include "vulkan_handles.hpp"

#include <new>

namespace fencebridge::test {

namespace {

/// One release, in a batch that signals a timeline of the application's, from a queue that has made
/// nothing yet.
class Submission : public SubmitterTest {
public:
    explicit Submission(SourceKind source) : SubmitterTest(source) {
        timelines->created(timeline_, 0);
        batch_ = batch_with(memory(), Direction::Release);
        batch_.pNext = &values_;
        batch_.signalSemaphoreCount = 1;
        batch_.pSignalSemaphores = &timeline_;
        (void)queue();
    }
    void TestBody() override {}

    VkResult run() {
        try {
            return submit(batch_, driver.application_fence());
        } catch (const std::bad_alloc&) {
            return VK_ERROR_OUT_OF_HOST_MEMORY;
        }
    }
    size_t reached_driver() const { return driver.submits.size(); }
    /// The release was made, or the CPU has waited for the queue in its stead.
    bool is_handed_off() const {
        return counters().releases == 1 || driver.count("QueueWaitIdle") == 1;
    }

private:
    const VkSemaphore timeline_ = handle_of_number<VkSemaphore>(0x70);
    const uint64_t value_ = 1;
    const VkTimelineSemaphoreSubmitInfo values_{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = &value_,
    };
    VkSubmitInfo batch_{};
};

} // namespace

class OutOfMemory : public testing::TestWithParam<SourceKind> {};

TEST_P(OutOfMemory, AtAnyAllocationASubmitIsMadeAndHandedOffOrNotMade) {
    size_t refused = 0;
    size_t survived = 0;
    for (size_t after = 0;; ++after) {
        SCOPED_TRACE("allocations before the one that fails: " + std::to_string(after));
        Submission submission(GetParam());
        VkResult result = VK_SUCCESS;
        bool has_failed = false;
        {
            const FailingAllocation failing(after);
            result = submission.run();
            has_failed = failing.has_failed();
        }
        if (result == VK_ERROR_OUT_OF_HOST_MEMORY) {
            ++refused;
            EXPECT_EQ(submission.reached_driver(), 0U);
            result = submission.run();
        } else if (has_failed) {
            ++survived;
        }
        ASSERT_EQ(result, VK_SUCCESS);
        EXPECT_GE(submission.reached_driver(), 1U);
        EXPECT_TRUE(submission.is_handed_off());
        if (!has_failed) {
            break;
        }
    }
    EXPECT_GT(refused, 0U);
    EXPECT_GT(survived, 0U);
}
INSTANTIATE_TEST_SUITE_P(Sources, OutOfMemory,
                         testing::Values(SourceKind::Semaphore, SourceKind::Fence,
                                         SourceKind::Wait),
                         [](const auto& source) { return std::string(name(source.param)); });

} // namespace fencebridge::test
