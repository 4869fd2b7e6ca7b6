// A queue's submitter on a FakeDriver: what the tests of every fence source start from.
#pragma once

#include "handoff/queue_submitter.hpp"
#include "report/log.hpp"
#include "unit/fake_driver.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>

namespace fencebridge::test {

/// The buffers are memfds: the kernel refuses to attach a fence to them with ENOTTY, as an old
/// kernel does to a dma-buf, so every release takes its fallback here. Attaching is tested in the
/// guest.
class SubmitterTest : public testing::Test {
protected:
    explicit SubmitterTest(SourceKind source);
    ~SubmitterTest() override;

    /// A shared memory on any descriptor (borrowed).
    SharedMemoryRef memory_on(int fd);
    /// On a memfd of its own.
    SharedMemoryRef memory();

    /// A batch of one command buffer in which this hand-off was recorded (memory null: none was).
    VkSubmitInfo batch_with(const SharedMemoryRef& memory, Direction direction,
                            Access access = Access::Write);
    VkCommandBuffer command_buffer_with(const SharedMemoryRef& memory, Direction direction,
                                        Access access = Access::Write);

    VkResult submit(const VkSubmitInfo& batch, VkFence fence = VK_NULL_HANDLE) {
        return queue().submit({&batch, 1}, fence);
    }

    /// Made on first use, so that a test can change `device` before.
    QueueSubmitter& queue(size_t index = 0);

    const Counters& counters() const { return device.counters; }

    FakeDriver driver;
    Instance instance;
    Device device;
    SharedMemories memories{device};
    Recordings recordings;
    ExportableFences exportable_fences;
    std::optional<Timelines> timelines;

private:
    std::array<std::unique_ptr<QueueSubmitter>, 2> queues_;
    std::deque<VkCommandBuffer> command_buffers_;
};

} // namespace fencebridge::test
