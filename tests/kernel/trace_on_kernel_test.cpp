// What the trace says of fences that are attached, and of those that a batch waits for.
#include "kernel/submit_on_kernel.hpp"
#include "unit/traced.hpp"

namespace fencebridge::test {

class TracedOnKernel : public SubmitOnKernel {
protected:
    TracedOnKernel() {
        device.trace = in_folder.trace.get();
        device.trace_device = device.trace->add_device("a FakeDriver's");
    }

    std::vector<TraceRecord> submit_and_read(const VkSubmitInfo& batch) {
        EXPECT_EQ(submit(batch), VK_SUCCESS);
        return in_folder.records();
    }

    const TraceInFolder in_folder;
};

TEST_F(TracedOnKernel, AttachedFence) {
    const Udmabuf buffer;
    device.guard.on = true;
    instance.settings.guard = GuardSetting::On;
    const auto records =
        submit_and_read(batch_with(memory_on(buffer.dma_buf()), Direction::Release));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].outcome, TraceOutcome::Attached);
    EXPECT_EQ(records[0].source, TraceSource::Semaphore);
    EXPECT_TRUE(is_guarded(records[0]));
    EXPECT_GT(records[0].source_ns, 0U);
    EXPECT_GT(records[0].ioctl_ns, 0U);
    EXPECT_GE(records[0].gap_ns, uint64_t{records[0].source_ns} + records[0].ioctl_ns);
}

TEST_F(TracedOnKernel, ImportedFence) {
    const Udmabuf buffer;
    const VgemFence peer = peer_begins(buffer, Usage::Write);
    const auto records =
        submit_and_read(batch_with(memory_on(buffer.dma_buf()), Direction::Acquire));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].outcome, TraceOutcome::Imported);
    EXPECT_FALSE(is_guarded(records[0]));
}

TEST_F(TracedOnKernel, FenceThatAThreadWaitsFor) {
    const Udmabuf buffer;
    device.capabilities.fences.timelines = true;
    device.acquire.method = AcquireMethod::Thread;
    VgemFence peer = peer_begins(buffer, Usage::Write);
    const auto records =
        submit_and_read(batch_with(memory_on(buffer.dma_buf()), Direction::Acquire));
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].outcome, TraceOutcome::Thread);
    EXPECT_EQ(peer.signal(), 0);
}

} // namespace fencebridge::test
