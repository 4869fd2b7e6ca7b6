// From recordings to what a submit hands off, by policy.
#include "handoff/submit_plan.hpp"
#include "unit/handles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sys/mman.h>

namespace fencebridge::test {

class Plan : public testing::Test {
protected:
    static VkCommandBuffer commands(uintptr_t number) { return handle<VkCommandBuffer>(number); }

    /// Memory number `number`, exported to the application where `peer_may_hold`.
    SharedMemoryRef memory(uintptr_t number, bool peer_may_hold = true) {
        const auto device_memory = handle<VkDeviceMemory>(number);
        const VkExportMemoryAllocateInfo exportable{
            .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        };
        const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                        .pNext = &exportable};
        memories.allocated(info, device_memory, nullptr);
        const auto buffer = handle<VkBuffer>(number);
        memories.bound(buffer, device_memory);
        if (peer_may_hold) {
            const UniqueFd file(::memfd_create("buffer", MFD_CLOEXEC));
            memories.exported(device_memory, file.get());
        }
        return memories.under(buffer).at(0);
    }

    void record(VkCommandBuffer command_buffer, const SharedMemoryRef& shared, Origin origin) {
        for (const Direction direction : {Direction::Acquire, Direction::Release}) {
            recordings.add(command_buffer, {shared, direction, Access::Write, origin});
        }
    }

    bool make(Policy policy) {
        std::vector<VkSubmitInfo> batches;
        for (const VkCommandBuffer& command_buffer : submitted) {
            batches.push_back({.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &command_buffer});
        }
        return plan.make(std::span<const VkSubmitInfo>(batches), policy, recordings, memories);
    }

    Device device;
    SharedMemories memories{device};
    Recordings recordings;
    std::array<VkCommandBuffer, 2> submitted{commands(1), commands(2)};
    SubmitPlan plan;
};

TEST_F(Plan, TouchCountsWhileNothingIsTransferred) {
    const auto shared = memory(1);
    record(commands(1), shared, Origin::Touch);
    ASSERT_TRUE(make(Policy::Auto));
    EXPECT_EQ(plan.releases().size(), 1U);
    EXPECT_EQ(plan.batches()[0].acquires.size(), 1U);
    // Once transferred, for good: also what was recorded before.
    shared->set_transferred();
    EXPECT_FALSE(make(Policy::Auto));
    EXPECT_TRUE(make(Policy::Touch)) << "unless the policy is touch for all";
}

TEST_F(Plan, OneMemorysTransferSaysNothingOfAnother) {
    const auto transferred = memory(1);
    const auto touched = memory(2);
    transferred->set_transferred();
    record(commands(1), transferred, Origin::Touch);
    record(commands(1), touched, Origin::Touch);
    ASSERT_TRUE(make(Policy::Auto));
    ASSERT_EQ(plan.releases().size(), 1U);
    EXPECT_EQ(plan.releases()[0].memory, touched);
}

TEST_F(Plan, WhatIsKnownInTwoWaysHappensOnce) {
    const auto shared = memory(1);
    record(commands(1), shared, Origin::Touch);
    record(commands(1), shared, Origin::Transfer);
    ASSERT_TRUE(make(Policy::Touch));
    ASSERT_EQ(plan.releases().size(), 1U);
    EXPECT_EQ(plan.releases()[0].origin, Origin::Transfer);
    EXPECT_EQ(plan.batches()[0].acquires.size(), 1U);
}

TEST_F(Plan, OneMemoryInTwoCommandBuffersIsReleasedOnce) {
    const auto first = memory(1);
    const auto second = memory(2);
    record(commands(1), first, Origin::Transfer);
    record(commands(1), second, Origin::Transfer);
    record(commands(2), first, Origin::Transfer);
    ASSERT_TRUE(make(Policy::Transfers));
    EXPECT_EQ(plan.releases().size(), 2U);
    ASSERT_EQ(plan.batches().size(), 2U);
    EXPECT_EQ(plan.batches()[0].acquires.size(), 2U);
    EXPECT_EQ(plan.batches()[1].acquires.size(), 1U) << "each batch waits for its own";
}

TEST_F(Plan, AlwaysTakesBackWhatAPeerMayHoldAndHandsOutAll) {
    const auto held = memory(1);
    const auto kept = memory(2, false);
    ASSERT_TRUE(make(Policy::Always)) << "nothing is recorded, and nothing needs to be";
    ASSERT_EQ(plan.releases().size(), 2U) << "a descriptor may be asked for after the work";
    EXPECT_EQ(plan.releases()[0].access, Access::Write);
    size_t acquires = 0;
    for (const BatchPlan& batch : plan.batches()) {
        acquires += batch.acquires.size();
        EXPECT_EQ(batch.acquires.empty(), batch.batch != 0) << "the first batch waits for all";
        for (const HandOff& acquire : batch.acquires) {
            EXPECT_EQ(acquire.memory, held);
        }
    }
    EXPECT_EQ(acquires, 1U);
    EXPECT_EQ(plan.signalling_batch(), 1U) << "the last batch covers all before it";
    EXPECT_FALSE(kept->peer_may_hold());
    plan.clear();
    EXPECT_TRUE(plan.releases().empty());
}

// Drawn, read by ourselves, and released by a barrier that names the reading alone.
TEST_F(Plan, ReleaseAfterAWriteIsAWriters) {
    const auto shared = memory(1);
    shared->set_transferred();
    recordings.write(commands(1), shared);
    recordings.add(commands(2), {shared, Direction::Release, Access::Read});
    ASSERT_TRUE(make(Policy::Auto));
    EXPECT_EQ(plan.releases().at(0).access, Access::Write);
    // The next time nothing is written.
    recordings.clear(commands(1));
    ASSERT_TRUE(make(Policy::Auto));
    EXPECT_EQ(plan.releases().at(0).access, Access::Read);
}

TEST_F(Plan, WriteInAnEarlierSubmitIsRemembered) {
    const auto shared = memory(1);
    shared->set_transferred();
    recordings.write(commands(1), shared);
    EXPECT_FALSE(make(Policy::Transfers)) << "nothing is handed off yet";
    recordings.clear(commands(1));
    recordings.add(commands(2), {shared, Direction::Release, Access::Read});
    ASSERT_TRUE(make(Policy::Transfers));
    EXPECT_EQ(plan.releases().at(0).access, Access::Write);
}

TEST_F(Plan, WhatAFailedSubmitCoveredIsLeftToTheNext) {
    const auto shared = memory(1);
    shared->set_transferred();
    recordings.write(commands(1), shared);
    recordings.add(commands(2), {shared, Direction::Release, Access::Read});
    for (const bool is_submitted : {false, true}) {
        ASSERT_TRUE(make(Policy::Auto));
        EXPECT_EQ(plan.releases().at(0).access, Access::Write);
        if (is_submitted) {
            plan.submitted();
        }
        plan.clear();
        recordings.clear(commands(1));
    }
    ASSERT_TRUE(make(Policy::Auto));
    EXPECT_EQ(plan.releases().at(0).access, Access::Read);
    plan.clear();
    // The same of readers.
    recordings.clear(commands(2));
    recordings.add(commands(2), {shared, Direction::Acquire, Access::Read});
    ASSERT_TRUE(make(Policy::Auto));
    plan.submitted();
    plan.clear();
    recordings.clear(commands(2));
    recordings.write(commands(1), shared);
    for (const bool is_submitted : {false, true}) {
        ASSERT_TRUE(make(Policy::Auto));
        EXPECT_EQ(plan.batches()[0].acquires.at(0).access, Access::Write);
        if (is_submitted) {
            plan.submitted();
        }
        plan.clear();
    }
    EXPECT_FALSE(make(Policy::Auto));
}

TEST_F(Plan, WriteAfterAReadersAcquireWaitsForTheReadersToo) {
    const auto shared = memory(1);
    shared->set_transferred();
    recordings.add(commands(1), {shared, Direction::Acquire, Access::Read});
    ASSERT_TRUE(make(Policy::Auto));
    EXPECT_EQ(plan.batches()[0].acquires.at(0).access, Access::Read);
    // In another submit.
    recordings.clear(commands(1));
    recordings.write(commands(2), shared);
    ASSERT_TRUE(make(Policy::Auto));
    ASSERT_EQ(plan.batches()[0].acquires.size(), 1U);
    EXPECT_EQ(plan.batches()[0].batch, 1U);
    EXPECT_EQ(plan.batches()[0].acquires[0].access, Access::Write);
    EXPECT_FALSE(make(Policy::Auto)) << "once";
    // In the same.
    recordings.add(commands(1), {shared, Direction::Acquire, Access::Read});
    recordings.write(commands(1), shared);
    recordings.clear(commands(2));
    ASSERT_TRUE(make(Policy::Auto));
    EXPECT_EQ(plan.batches()[0].acquires.at(0).access, Access::Write);
}

TEST_F(Plan, AlwaysLeavesASubmitWithoutWorkAlone) {
    (void)memory(1);
    const VkSubmitInfo empty{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
    EXPECT_FALSE(plan.make(std::span(&empty, 1), Policy::Always, recordings, memories));
}

TEST_F(Plan, SecondariesHappenInTheirPrimary) {
    const auto shared = memory(1);
    const std::array secondaries{commands(8), commands(9)};
    record(secondaries[1], shared, Origin::Transfer);
    recordings.executed(commands(2), secondaries);
    ASSERT_TRUE(make(Policy::Transfers));
    EXPECT_EQ(plan.signalling_batch(), 1U);
    // What the secondary holds later is another recording.
    recordings.clear(secondaries[1]);
    EXPECT_TRUE(make(Policy::Transfers));
    recordings.clear(commands(2));
    EXPECT_FALSE(make(Policy::Transfers));
}

TEST_F(Plan, ViewsAndFramebuffersLeadToImagesOnSharedMemory) {
    (void)memory(1);
    const auto image = handle<VkImage>(700);
    const auto view = handle<VkImageView>(701);
    const auto framebuffer = handle<VkFramebuffer>(702);
    memories.bound(image, handle<VkDeviceMemory>(1));
    memories.viewed(view, image);
    memories.framed(framebuffer, {&view, 1});
    EXPECT_EQ(memories.image_of(view), image);
    EXPECT_EQ(memories.images_of(framebuffer), std::vector{image});
    memories.destroyed(view);
    EXPECT_EQ(memories.image_of(view), VkImage{VK_NULL_HANDLE});
    EXPECT_EQ(memories.images_of(framebuffer), std::vector{image});
    // Of an image that shares nothing nothing is kept.
    memories.viewed(view, handle<VkImage>(703));
    EXPECT_EQ(memories.image_of(view), VkImage{VK_NULL_HANDLE});
}

TEST_F(Plan, PlanesOfADisjointImageAreAllOfTheirMemories) {
    (void)memory(1);
    (void)memory(2);
    const auto image = handle<VkImage>(700);
    const auto first = handle<VkDeviceMemory>(1);
    const auto second = handle<VkDeviceMemory>(2);
    memories.bound(image, first);
    memories.bound(image, second);
    memories.bound(image, second);
    EXPECT_EQ(memories.under(image).size(), 2U);
}

TEST_F(Plan, SparseBindsPutSharedMemoryUnderAResource) {
    (void)memory(1);
    const auto buffer = handle<VkBuffer>(700);
    const std::array binds{
        VkSparseMemoryBind{.size = 4096},
        VkSparseMemoryBind{.size = 4096, .memory = handle<VkDeviceMemory>(1)},
    };
    const VkSparseBufferMemoryBindInfo of_buffer{
        .buffer = buffer, .bindCount = binds.size(), .pBinds = binds.data()};
    const VkBindSparseInfo info{.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
                                .bufferBindCount = 1,
                                .pBufferBinds = &of_buffer};
    memories.bound(std::span(&info, 1));
    EXPECT_EQ(memories.under(buffer).size(), 1U);
}

TEST_F(Plan, OpaqueMemoryIsNobodysDmaBuf) {
    const VkExportMemoryAllocateInfo opaque{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT,
    };
    const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                    .pNext = &opaque};
    memories.allocated(info, handle<VkDeviceMemory>(1), nullptr);
    EXPECT_FALSE(memories.any());
}

} // namespace fencebridge::test
