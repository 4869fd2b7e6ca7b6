// Submits with real dma-bufs and real fences; only the GPU is a FakeDriver, whose sync_files are
// vgem's. So every fence source is seen to attach, also those that no driver at hand would choose.
#include "kernel/submit_on_kernel.hpp"

#include <array>
#include <thread>

namespace fencebridge::test {

/// Every source that has a kernel fence.
class ReleaseOnKernel : public SubmitOnKernel, public testing::WithParamInterface<SourceKind> {
protected:
    ReleaseOnKernel() : SubmitOnKernel(GetParam()) {}
};

TEST_P(ReleaseOnKernel, WrittenBufferHoldsReadersUntilTheWorkIsDone) {
    const Udmabuf buffer;
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release)), VK_SUCCESS);
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLIN));
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLOUT));
    EXPECT_EQ(counters().fences_attached, 1U);
    EXPECT_EQ(counters().fallbacks, 0U);
    EXPECT_EQ(driver.count("WaitForFences") + driver.count("QueueWaitIdle"), 0U);
    ASSERT_EQ(work->signal(), 0);
    EXPECT_TRUE(is_ready(buffer.dma_buf(), POLLIN));
}

TEST_P(ReleaseOnKernel, ReadBufferHoldsWritersOnly) {
    const Udmabuf buffer;
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release, Access::Read)),
              VK_SUCCESS);
    EXPECT_TRUE(is_ready(buffer.dma_buf(), POLLIN)) << "two readers must not wait for each other";
    EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLOUT));
}

TEST_P(ReleaseOnKernel, EveryBufferOfASubmitGetsTheFence) {
    const std::array<Udmabuf, 3> buffers;
    std::vector<VkSubmitInfo> batches;
    for (const Udmabuf& buffer : buffers) {
        batches.push_back(batch_with(memory_on(buffer.dma_buf()), Direction::Release));
    }
    EXPECT_EQ(queue().submit(batches, driver.application_fence()), VK_SUCCESS);
    for (const Udmabuf& buffer : buffers) {
        EXPECT_FALSE(is_ready(buffer.dma_buf(), POLLIN));
    }
    EXPECT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.count("GetSemaphoreFdKHR") + driver.count("GetFenceFdKHR"), 1U)
        << "one export, however many buffers";
}

TEST_P(ReleaseOnKernel, FailedSubmitAttachesNothing) {
    const Udmabuf buffer;
    driver.outcomes.queue_submit = {VK_ERROR_OUT_OF_DEVICE_MEMORY};
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Release)),
              VK_ERROR_OUT_OF_DEVICE_MEMORY);
    EXPECT_TRUE(is_ready(buffer.dma_buf(), POLLOUT));
}

INSTANTIATE_TEST_SUITE_P(Sources, ReleaseOnKernel,
                         testing::Values(SourceKind::Semaphore, SourceKind::Fence),
                         [](const auto& instance) { return name(instance.param); });

TEST_F(SubmitOnKernel, AcquireMakesTheBatchWaitForThePeer) {
    const Udmabuf buffer;
    VgemFence peer = peer_begins(buffer, Usage::Write);
    const VkSubmitInfo app =
        batch_with(memory_on(buffer.dma_buf()), Direction::Acquire, Access::Read);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 1U);
    EXPECT_EQ(driver.submits[0].batches[0].waits.size(), 1U);
    EXPECT_EQ(counters().waits_imported, 1U);
    EXPECT_EQ(counters().waits_on_cpu, 0U);
    EXPECT_EQ(app.waitSemaphoreCount, 0U);
}

TEST_F(SubmitOnKernel, ReaderDoesNotWaitForReaders) {
    const Udmabuf buffer;
    const VgemFence peer = peer_begins(buffer, Usage::Read);
    const VkSubmitInfo reads =
        batch_with(memory_on(buffer.dma_buf()), Direction::Acquire, Access::Read);
    EXPECT_EQ(submit(reads), VK_SUCCESS);
    EXPECT_EQ(driver.submits[0].structures, &reads);
    EXPECT_EQ(counters().acquires_idle, 1U);
    // A writer does.
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Acquire)), VK_SUCCESS);
    EXPECT_EQ(counters().waits_imported, 1U);
}

TEST_F(SubmitOnKernel, PeersOfOneBatchAreOneWait) {
    const std::array<Udmabuf, 2> buffers;
    const VgemFence first = peer_begins(buffers[0], Usage::Write);
    const VgemFence second = peer_begins(buffers[1], Usage::Write);
    const VkSubmitInfo app = batch_with(memory_on(buffers[0].dma_buf()), Direction::Acquire);
    recordings.add(app.pCommandBuffers[0],
                   {memory_on(buffers[1].dma_buf()), Direction::Acquire, Access::Write});
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.submits[0].batches[0].waits.size(), 1U);
    EXPECT_EQ(driver.count("ImportSemaphoreFdKHR"), 1U);
    EXPECT_EQ(counters().acquires, 2U);
}

TEST_F(SubmitOnKernel, EachBatchWaitsForItsOwnPeers) {
    const std::array<Udmabuf, 2> buffers;
    const VgemFence first = peer_begins(buffers[0], Usage::Write);
    const VgemFence second = peer_begins(buffers[1], Usage::Write);
    const std::array batches{batch_with(memory_on(buffers[0].dma_buf()), Direction::Acquire),
                             batch_with(nullptr, Direction::Acquire),
                             batch_with(memory_on(buffers[1].dma_buf()), Direction::Acquire)};
    EXPECT_EQ(queue().submit(batches, VK_NULL_HANDLE), VK_SUCCESS);
    const auto& got = driver.submits[0].batches;
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[0].waits.size(), 1U);
    EXPECT_TRUE(got[1].waits.empty());
    EXPECT_EQ(got[2].waits.size(), 1U);
    EXPECT_NE(got[0].waits, got[2].waits);
}

TEST_F(SubmitOnKernel, FailedSubmitDiscardsTheWaitItsPayloadWasNotUsed) {
    const Udmabuf buffer;
    const VgemFence peer = peer_begins(buffer, Usage::Write);
    const VkSubmitInfo app = batch_with(memory_on(buffer.dma_buf()), Direction::Acquire);
    driver.outcomes.queue_submit = {VK_ERROR_OUT_OF_HOST_MEMORY};
    EXPECT_EQ(submit(app), VK_ERROR_OUT_OF_HOST_MEMORY);
    EXPECT_EQ(driver.count("DestroySemaphore"), 1U);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.count("CreateSemaphore"), 2U);
}

TEST_F(SubmitOnKernel, RefusedImportIsWaitedForOnTheCpu) {
    const Udmabuf buffer;
    VgemFence peer = peer_begins(buffer, Usage::Write);
    driver.outcomes.import_semaphore_fd = {VK_ERROR_TOO_MANY_OBJECTS};
    std::atomic<bool> finished = false;
    std::thread finishing([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        finished = true;
        EXPECT_EQ(peer.signal(), 0);
    });
    EXPECT_EQ(submit(batch_with(memory_on(buffer.dma_buf()), Direction::Acquire)), VK_SUCCESS);
    EXPECT_TRUE(finished);
    EXPECT_EQ(counters().waits_on_cpu, 1U);
    finishing.join();
}

TEST_F(SubmitOnKernel, MethodPollWaitsBeforeTheSubmitWithinItsLimit) {
    device.acquire.method = AcquireMethod::Poll;
    instance.settings.acquire_timeout = std::chrono::milliseconds(30);
    const Udmabuf buffer;
    const VgemFence peer = peer_begins(buffer, Usage::Write);
    const VkSubmitInfo app = batch_with(memory_on(buffer.dma_buf()), Direction::Acquire);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.submits[0].structures, &app);
    EXPECT_EQ(counters().waits_on_cpu, 1U);
}

TEST_F(SubmitOnKernel, AcquireThenReleaseDoesNotWaitForItself) {
    // The fence that we attach in one submit is what the next one acquires: ours, but a real one.
    const Udmabuf buffer;
    const auto shared = memory_on(buffer.dma_buf());
    VkSubmitInfo app = batch_with(shared, Direction::Acquire);
    recordings.add(app.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_TRUE(driver.submits[0].batches[0].waits.empty());
    EXPECT_EQ(driver.submits[0].batches[0].signals.size(), 1U);
    EXPECT_EQ(submit(app), VK_SUCCESS);
    EXPECT_EQ(driver.submits[1].batches[0].waits.size(), 1U);
}

TEST_F(SubmitOnKernel, FinishedSubmitsGiveTheirWaitSemaphoresBack) {
    const Udmabuf buffer;
    const auto shared = memory_on(buffer.dma_buf());
    VkSubmitInfo app = batch_with(shared, Direction::Acquire);
    recordings.add(app.pCommandBuffers[0], {shared, Direction::Release, Access::Write});
    for (int i = 0; i < 20; ++i) {
        const VgemFence peer = peer_begins(buffer, Usage::Write);
        EXPECT_EQ(submit(app), VK_SUCCESS);
        ASSERT_EQ(work->signal(), 0);
        work.emplace(pending_fence());
    }
    EXPECT_LE(driver.count("CreateSemaphore"), 4U) << "semaphores pile up";
}

TEST_F(SubmitOnKernel, WaitBehindTheLastReleaseIsNotOverWithIt) {
    // The ticket is signalled by the first batch; the second one still waits for its peer.
    const std::array<Udmabuf, 3> buffers;
    const VgemFence slow_peer = peer_begins(buffers[1], Usage::Write);
    const std::array batches{batch_with(memory_on(buffers[0].dma_buf()), Direction::Release),
                             batch_with(memory_on(buffers[1].dma_buf()), Direction::Acquire)};
    EXPECT_EQ(queue().submit(batches, VK_NULL_HANDLE), VK_SUCCESS);
    ASSERT_EQ(work->signal(), 0);
    work.emplace(pending_fence());
    const VgemFence peer = peer_begins(buffers[2], Usage::Write);
    EXPECT_EQ(submit(batch_with(memory_on(buffers[2].dma_buf()), Direction::Acquire)), VK_SUCCESS);
    ASSERT_EQ(driver.submits.size(), 2U);
    EXPECT_NE(driver.submits[0].batches[1].waits, driver.submits[1].batches[0].waits)
        << "a semaphore was imported into while a batch waited on it (VUID 01142)";
}

TEST_F(SubmitOnKernel, AcquiresAloneDoNotPileUpSemaphores) {
    // Nothing of ours signals in such submits, so now and then one is made to say when it is done.
    const Udmabuf buffer;
    const VkSubmitInfo app =
        batch_with(memory_on(buffer.dma_buf()), Direction::Acquire, Access::Read);
    for (int i = 0; i < 200; ++i) {
        const VgemFence peer = peer_begins(buffer, Usage::Write);
        EXPECT_EQ(submit(app), VK_SUCCESS);
        ASSERT_EQ(work->signal(), 0);
        work.emplace(pending_fence());
    }
    EXPECT_EQ(driver.submits.size(), 200U);
    EXPECT_LT(driver.count("CreateSemaphore"), 100U);
}

} // namespace fencebridge::test
