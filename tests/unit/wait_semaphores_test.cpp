// WaitSemaphores: imported payloads, each waited for once, and when their semaphores may serve
// again.
#include "fence/wait_semaphores.hpp"
#include "unit/fake_driver.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fencebridge::test {

class WaitSemaphoresTest : public testing::Test {
protected:
    WaitSemaphoresTest() { pool.emplace(DeviceCalls{driver.device(), &driver.table}); }
    ~WaitSemaphoresTest() override {
        pool.reset();
        for (const std::string& rule : driver.broken_rules) {
            ADD_FAILURE() << "a rule of Vulkan was broken: " << rule;
        }
        EXPECT_EQ(driver.live_objects(), 0U);
    }

    static UniqueFd unsignalled() { return UniqueFd(::eventfd(0, EFD_CLOEXEC)); }

    /// Imports a fence and submits a batch that waits for it.
    VkSemaphore use(uint64_t submit_number) {
        UniqueFd fence = unsignalled();
        const VkSemaphore semaphore = pool->import(fence);
        EXPECT_NE(semaphore, VK_NULL_HANDLE);
        EXPECT_FALSE(fence) << "a successful import makes the descriptor the driver's";
        const VkSubmitInfo batch{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .waitSemaphoreCount = 1,
                                 .pWaitSemaphores = &semaphore};
        EXPECT_EQ(driver.table.QueueSubmit(driver.queue(), 1, &batch, VK_NULL_HANDLE), VK_SUCCESS);
        pool->submitted(semaphore, submit_number);
        return semaphore;
    }

    FakeDriver driver;
    std::optional<WaitSemaphores> pool;
};

TEST_F(WaitSemaphoresTest, SemaphoreInFlightIsNotImportedInto) {
    const VkSemaphore first = use(1);
    EXPECT_NE(use(2), first);
}

TEST_F(WaitSemaphoresTest, CompletionFreesAllUpToIt) {
    const VkSemaphore first = use(1);
    const VkSemaphore second = use(2);
    const VkSemaphore third = use(3);
    pool->completed(2);
    const VkSemaphore again = use(4);
    EXPECT_TRUE(again == first || again == second);
    const VkSemaphore once_more = use(5);
    EXPECT_TRUE(once_more == first || once_more == second);
    EXPECT_NE(use(6), third);
}

TEST_F(WaitSemaphoresTest, PromiseFreesWhenItsFenceSignals) {
    const VkSemaphore first = use(1);
    const UniqueFd work = unsignalled();
    pool->completes_with(1, work);
    EXPECT_NE(use(2), first);
    ASSERT_EQ(::eventfd_write(work.get(), 1), 0);
    EXPECT_EQ(use(3), first);
}

TEST_F(WaitSemaphoresTest, OnePromiseBehindTheLastImportIsKeptHoweverManySubmitsFollow) {
    // An application that never meets a busy peer again imports nothing more, and nothing would
    // let go of what is kept for the imports of the past.
    const VkSemaphore first = use(1);
    const UniqueFd work = unsignalled();
    const int before = UniqueFd::duplicate(work.get()).get();
    for (uint64_t submit = 1; submit <= 100; ++submit) {
        pool->completes_with(submit, work);
    }
    EXPECT_LE(UniqueFd::duplicate(work.get()).get(), before + 1) << "descriptors pile up";
    ASSERT_EQ(::eventfd_write(work.get(), 1), 0);
    EXPECT_EQ(use(101), first);
}

TEST_F(WaitSemaphoresTest, RefusedImportLeavesTheDescriptorToTheCaller) {
    driver.outcomes.import_semaphore_fd = {VK_ERROR_INVALID_EXTERNAL_HANDLE};
    UniqueFd fence = unsignalled();
    EXPECT_EQ(pool->import(fence), VK_NULL_HANDLE);
    EXPECT_TRUE(fence);
}

TEST_F(WaitSemaphoresTest, NoSemaphoreToBeHadLeavesTheDescriptorToTheCaller) {
    driver.outcomes.create_semaphore = {VK_ERROR_OUT_OF_HOST_MEMORY};
    UniqueFd fence = unsignalled();
    EXPECT_EQ(pool->import(fence), VK_NULL_HANDLE);
    EXPECT_TRUE(fence);
}

TEST_F(WaitSemaphoresTest, DiscardedSemaphoreIsGone) {
    // Its payload was never waited for: importing again would break a rule.
    UniqueFd fence = unsignalled();
    const VkSemaphore semaphore = pool->import(fence);
    pool->discard(semaphore);
    EXPECT_EQ(driver.count("DestroySemaphore"), 1U);
    use(1);
}

TEST_F(WaitSemaphoresTest, ManyInFlightAskForACompletion) {
    EXPECT_FALSE(pool->wants_completion());
    uint64_t submit = 0;
    while (!pool->wants_completion()) {
        use(++submit);
        ASSERT_LT(submit, 1000U) << "semaphores pile up and nothing asks for their end";
    }
    pool->completes_with(submit, unsignalled());
    EXPECT_FALSE(pool->wants_completion());
}

} // namespace fencebridge::test
