// Adding a semaphore to a copy of the application's batch.
#include "handoff/batch_patch.hpp"
#include "vulkan_handles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

namespace fencebridge::test {

namespace {

VkSemaphore semaphore(uint64_t number) {
    return handle_of_number<VkSemaphore>(number);
}

const VkSemaphore our_wait = semaphore(0x100);
const VkSemaphore our_signal = semaphore(0x200);

template<typename T>
std::vector<T> list(const T* items, uint32_t count) {
    return {items, items + count};
}

/// A structure that no layer of today knows.
struct Unknown {
    VkStructureType type = static_cast<VkStructureType>(1'000'999'000);
    const void* next = nullptr;
    uint64_t content = 42;
};

/// A batch as an application builds it: two waits, one signal.
struct ApplicationBatch {
    std::array<VkSemaphore, 2> waits{semaphore(1), semaphore(2)};
    std::array<VkPipelineStageFlags, 2> stages{VK_PIPELINE_STAGE_TRANSFER_BIT,
                                               VK_PIPELINE_STAGE_HOST_BIT};
    std::array<VkSemaphore, 1> signals{semaphore(3)};
    std::array<uint64_t, 2> wait_values{11, 12};
    std::array<uint64_t, 1> signal_values{13};
    std::array<uint32_t, 2> wait_devices{1, 2};
    std::array<uint32_t, 1> command_devices{3};
    std::array<uint32_t, 1> signal_devices{1};
    VkTimelineSemaphoreSubmitInfo timeline{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = 2,
        .pWaitSemaphoreValues = wait_values.data(),
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = signal_values.data(),
    };
    VkDeviceGroupSubmitInfo group{
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO,
        .waitSemaphoreCount = 2,
        .pWaitSemaphoreDeviceIndices = wait_devices.data(),
        .commandBufferCount = 1,
        .pCommandBufferDeviceMasks = command_devices.data(),
        .signalSemaphoreCount = 1,
        .pSignalSemaphoreDeviceIndices = signal_devices.data(),
    };
    VkProtectedSubmitInfo protection{
        .sType = VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO,
        .protectedSubmit = VK_TRUE,
    };
    Unknown unknown;
    VkSubmitInfo info{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = 2,
        .pWaitSemaphores = waits.data(),
        .pWaitDstStageMask = stages.data(),
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = signals.data(),
    };

    ApplicationBatch() = default;
    ApplicationBatch(const ApplicationBatch&) = delete;
    ApplicationBatch& operator=(const ApplicationBatch&) = delete;

    std::vector<std::byte> bytes() const {
        std::vector<std::byte> copy(sizeof(*this));
        std::memcpy(copy.data(), static_cast<const void*>(this), sizeof(*this));
        return copy;
    }
};

} // namespace

class PatchSubmitInfo : public testing::Test {
protected:
    /// The copy with both of ours, and proof that the application's own was left alone.
    VkSubmitInfo patched(const SemaphorePoint& wait = {our_wait},
                         const SemaphorePoint& signal = {our_signal}) {
        EXPECT_TRUE(can_patch(app.info));
        const std::vector<std::byte> before = app.bytes();
        VkSubmitInfo copy = app.info;
        patch(copy, wait, signal, arena_);
        EXPECT_EQ(app.bytes(), before) << "the application's structures were written to";
        return copy;
    }
    ApplicationBatch app;

private:
    Arena arena_;
};

TEST_F(PatchSubmitInfo, TimelineOfOursBringsItsValueAlong) {
    // The application has no timelines here: a structure of ours comes in front of its chain.
    app.info.pNext = &app.unknown;
    app.info.signalSemaphoreCount = 0;
    const VkSubmitInfo copy = patched({}, {our_signal, 7});
    const auto* values = static_cast<const VkTimelineSemaphoreSubmitInfo*>(copy.pNext);
    ASSERT_EQ(values->sType, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
    EXPECT_EQ(values->pNext, &app.unknown);
    ASSERT_EQ(values->signalSemaphoreValueCount, copy.signalSemaphoreCount);
    EXPECT_EQ(values->pSignalSemaphoreValues[copy.signalSemaphoreCount - 1], 7U);
    EXPECT_EQ(values->waitSemaphoreValueCount, 0U);
}

TEST_F(PatchSubmitInfo, TimelineOfOursFillsAnEmptyArray) {
    const VkTimelineSemaphoreSubmitInfo empty{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
    };
    app.info.pNext = &empty;
    const VkSubmitInfo copy = patched({our_wait, 3}, {});
    const auto* values = static_cast<const VkTimelineSemaphoreSubmitInfo*>(copy.pNext);
    EXPECT_NE(values, &empty);
    EXPECT_EQ(values->pNext, nullptr);
    ASSERT_EQ(values->waitSemaphoreValueCount, copy.waitSemaphoreCount);
    for (uint32_t i = 0; i + 1 < copy.waitSemaphoreCount; ++i) {
        EXPECT_EQ(values->pWaitSemaphoreValues[i], 0U) << "the application's are binary";
    }
    EXPECT_EQ(values->pWaitSemaphoreValues[copy.waitSemaphoreCount - 1], 3U);
    EXPECT_EQ(values->signalSemaphoreValueCount, 0U);
}

TEST_F(PatchSubmitInfo, AddsAWaitForAllCommandsAndASignal) {
    const VkSubmitInfo copy = patched();
    EXPECT_EQ(list(copy.pWaitSemaphores, copy.waitSemaphoreCount),
              (std::vector{app.waits[0], app.waits[1], our_wait}));
    EXPECT_EQ(list(copy.pWaitDstStageMask, copy.waitSemaphoreCount),
              (std::vector<VkPipelineStageFlags>{app.stages[0], app.stages[1],
                                                 VK_PIPELINE_STAGE_ALL_COMMANDS_BIT}));
    EXPECT_EQ(list(copy.pSignalSemaphores, copy.signalSemaphoreCount),
              (std::vector{app.signals[0], our_signal}));
}

TEST_F(PatchSubmitInfo, AddsToABatchThatHasNone) {
    app.info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
    const VkSubmitInfo copy = patched();
    EXPECT_EQ(list(copy.pWaitSemaphores, copy.waitSemaphoreCount), std::vector{our_wait});
    EXPECT_EQ(copy.pWaitDstStageMask[0], VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    EXPECT_EQ(list(copy.pSignalSemaphores, copy.signalSemaphoreCount), std::vector{our_signal});
}

TEST_F(PatchSubmitInfo, AddsOneAndLeavesTheOther) {
    const VkSubmitInfo only_wait = patched({our_wait}, {});
    EXPECT_EQ(only_wait.waitSemaphoreCount, 3U);
    EXPECT_EQ(only_wait.pSignalSemaphores, app.info.pSignalSemaphores);
    EXPECT_EQ(only_wait.signalSemaphoreCount, 1U);
    const VkSubmitInfo only_signal = patched({}, {our_signal});
    EXPECT_EQ(only_signal.pWaitSemaphores, app.info.pWaitSemaphores);
    EXPECT_EQ(only_signal.waitSemaphoreCount, 2U);
    EXPECT_EQ(only_signal.signalSemaphoreCount, 2U);
}

TEST_F(PatchSubmitInfo, TimelineValuesGrowWithTheSemaphores) {
    app.info.pNext = &app.timeline;
    const VkSubmitInfo copy = patched();
    const auto& values = *static_cast<const VkTimelineSemaphoreSubmitInfo*>(copy.pNext);
    EXPECT_EQ(values.sType, VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO);
    EXPECT_EQ(values.waitSemaphoreValueCount, copy.waitSemaphoreCount);
    EXPECT_EQ(values.signalSemaphoreValueCount, copy.signalSemaphoreCount);
    EXPECT_EQ(list(values.pWaitSemaphoreValues, 2), (std::vector<uint64_t>{11, 12}));
    EXPECT_EQ(values.pSignalSemaphoreValues[0], 13U);
}

TEST_F(PatchSubmitInfo, TimelineSideThatIsEmptyStaysEmpty) {
    // No values at all is how a side without timeline semaphores is written.
    app.timeline.signalSemaphoreValueCount = 0;
    app.timeline.pSignalSemaphoreValues = nullptr;
    app.info.pNext = &app.timeline;
    const VkSubmitInfo copy = patched();
    const auto& values = *static_cast<const VkTimelineSemaphoreSubmitInfo*>(copy.pNext);
    EXPECT_EQ(values.waitSemaphoreValueCount, 3U);
    EXPECT_EQ(values.signalSemaphoreValueCount, 0U);
    EXPECT_EQ(values.pSignalSemaphoreValues, nullptr);
}

TEST_F(PatchSubmitInfo, DeviceIndicesGrowWithTheSemaphores) {
    app.info.pNext = &app.group;
    const VkSubmitInfo copy = patched();
    const auto& group = *static_cast<const VkDeviceGroupSubmitInfo*>(copy.pNext);
    EXPECT_EQ(list(group.pWaitSemaphoreDeviceIndices, group.waitSemaphoreCount),
              (std::vector<uint32_t>{1, 2, 0}));
    EXPECT_EQ(list(group.pSignalSemaphoreDeviceIndices, group.signalSemaphoreCount),
              (std::vector<uint32_t>{1, 0}));
    EXPECT_EQ(group.commandBufferCount, 1U);
    EXPECT_EQ(group.pCommandBufferDeviceMasks, app.command_devices.data());
}

TEST_F(PatchSubmitInfo, KeepsWhatStandsBetween) {
    // protection -> timeline -> group -> unknown
    app.info.pNext = &app.protection;
    app.protection.pNext = &app.timeline;
    app.timeline.pNext = &app.group;
    app.group.pNext = &app.unknown;
    const VkSubmitInfo copy = patched();
    const auto& protection = *static_cast<const VkProtectedSubmitInfo*>(copy.pNext);
    EXPECT_EQ(protection.sType, VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO);
    EXPECT_EQ(protection.protectedSubmit, VK_TRUE);
    const auto& values = *static_cast<const VkTimelineSemaphoreSubmitInfo*>(protection.pNext);
    EXPECT_EQ(values.waitSemaphoreValueCount, 3U);
    const auto& group = *static_cast<const VkDeviceGroupSubmitInfo*>(values.pNext);
    EXPECT_EQ(group.waitSemaphoreCount, 3U);
    EXPECT_EQ(group.pNext, &app.unknown) << "behind the last that grows nothing need be known";
}

TEST_F(PatchSubmitInfo, UnknownStructureAloneIsPassedOn) {
    app.info.pNext = &app.unknown;
    EXPECT_EQ(patched().pNext, &app.unknown);
}

TEST_F(PatchSubmitInfo, UnknownStructureInFrontCannotBePatched) {
    // It would have to be copied to change the pointer behind it, and its size is unknown.
    app.info.pNext = &app.unknown;
    app.unknown.next = &app.timeline;
    EXPECT_FALSE(can_patch(app.info));
    app.unknown.next = &app.group;
    EXPECT_FALSE(can_patch(app.info));
    app.timeline.pNext = &app.unknown;
    app.info.pNext = &app.timeline; // between two that must grow
    EXPECT_FALSE(can_patch(app.info));
}

TEST(PatchSubmitInfo2, AddsAWaitForAllCommandsAndASignal) {
    const Unknown unknown;
    const VkSemaphoreSubmitInfo app_wait{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
        .pNext = &unknown,
        .semaphore = semaphore(1),
        .value = 11,
        .stageMask = VK_PIPELINE_STAGE_2_COPY_BIT,
        .deviceIndex = 2,
    };
    const VkSubmitInfo2 app{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .pNext = &unknown,
        .waitSemaphoreInfoCount = 1,
        .pWaitSemaphoreInfos = &app_wait,
    };
    VkSubmitInfo2 copy = app;
    ASSERT_TRUE(can_patch(app));
    Arena arena;
    patch(copy, {our_wait}, {our_signal}, arena);

    EXPECT_EQ(copy.pNext, &unknown);
    ASSERT_EQ(copy.waitSemaphoreInfoCount, 2U);
    EXPECT_EQ(std::memcmp(copy.pWaitSemaphoreInfos, &app_wait, sizeof(app_wait)), 0);
    const VkSemaphoreSubmitInfo& added = copy.pWaitSemaphoreInfos[1];
    EXPECT_EQ(added.sType, VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO);
    EXPECT_EQ(added.pNext, nullptr);
    EXPECT_EQ(added.semaphore, our_wait);
    EXPECT_EQ(added.stageMask, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
    EXPECT_EQ(added.deviceIndex, 0U);
    ASSERT_EQ(copy.signalSemaphoreInfoCount, 1U);
    EXPECT_EQ(copy.pSignalSemaphoreInfos[0].semaphore, our_signal);
    EXPECT_EQ(copy.pSignalSemaphoreInfos[0].stageMask, VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT);
    EXPECT_EQ(app.pWaitSemaphoreInfos, &app_wait);
    EXPECT_EQ(app.waitSemaphoreInfoCount, 1U);
}

} // namespace fencebridge::test
