// Recordings: what a command buffer's hand-offs are, and when they are forgotten.
#include "handoff/recordings.hpp"
#include "unit/handles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

namespace fencebridge::test {

class RecordingsTest : public testing::Test {
protected:
    SharedMemoryRef memory() { return std::make_shared<SharedMemory>(device_, VkDeviceMemory{}); }
    std::vector<HandOff> of(VkCommandBuffer command_buffer) const {
        std::vector<HandOff> list;
        recordings.visit(command_buffer, [&](const Recording& found) { list = found.hand_offs; });
        return list;
    }

    Recordings recordings;
    const VkCommandPool pool = handle<VkCommandPool>(100);
    const VkCommandBuffer first = handle<VkCommandBuffer>(1);
    const VkCommandBuffer second = handle<VkCommandBuffer>(2);

private:
    Device device_;
};

TEST_F(RecordingsTest, RemembersByCommandBuffer) {
    EXPECT_TRUE(recordings.empty());
    const auto buffer = memory();
    recordings.add(first, {buffer, Direction::Release, Access::Write});
    ASSERT_EQ(of(first).size(), 1U);
    EXPECT_EQ(of(first)[0].memory, buffer);
    EXPECT_TRUE(of(second).empty());
    EXPECT_FALSE(recordings.empty());
}

TEST_F(RecordingsTest, ReleaseCoversTheWritesBeforeItAndNoLaterOnes) {
    const auto buffer = memory();
    const auto other = memory();
    recordings.write(first, buffer);
    recordings.add(first, {buffer, Direction::Release, Access::Read});
    recordings.add(first, {other, Direction::Release, Access::Read});
    recordings.write(first, other);
    const auto list = of(first);
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].access, Access::Write);
    EXPECT_EQ(list[1].access, Access::Read);
    std::vector<bool> released;
    recordings.visit(first, [&](const Recording& found) {
        for (const Recording::Written& one : found.written) {
            released.push_back(one.is_released);
        }
    });
    EXPECT_EQ(released, (std::vector{true, false}));
}

TEST_F(RecordingsTest, SecondariesWritesAreThePrimarys) {
    const auto buffer = memory();
    recordings.add(first, {buffer, Direction::Acquire, Access::Read});
    recordings.write(second, buffer);
    recordings.executed(first, std::span(&second, 1));
    recordings.add(first, {buffer, Direction::Release, Access::Read});
    const auto list = of(first);
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].access, Access::Write) << "the acquire is for the write, too";
    EXPECT_EQ(list[1].access, Access::Write);
}

TEST_F(RecordingsTest, OneMemoryStandsOnceADirectionWithTheStrongerAccess) {
    const auto buffer = memory();
    recordings.add(first, {buffer, Direction::Release, Access::Read});
    recordings.add(first, {buffer, Direction::Release, Access::Write});
    recordings.add(first, {buffer, Direction::Release, Access::Read});
    recordings.add(first, {buffer, Direction::Acquire, Access::Read});
    const auto list = of(first);
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].access, Access::Write);
    EXPECT_EQ(list[1].direction, Direction::Acquire);
    EXPECT_EQ(list[1].access, Access::Read);
}

TEST_F(RecordingsTest, BeginAndResetForget) {
    recordings.add(first, {memory(), Direction::Release, Access::Write});
    recordings.add(second, {memory(), Direction::Release, Access::Write});
    recordings.clear(first);
    EXPECT_TRUE(of(first).empty());
    EXPECT_EQ(of(second).size(), 1U);
}

TEST_F(RecordingsTest, FreeForgets) {
    recordings.allocated(pool, std::array{first, second});
    recordings.add(first, {memory(), Direction::Release, Access::Write});
    recordings.freed(pool, std::array{first});
    EXPECT_TRUE(of(first).empty());
    EXPECT_TRUE(recordings.empty());
}

TEST_F(RecordingsTest, FreeOfNullHandlesIsNothing) {
    recordings.freed(pool, std::array{VkCommandBuffer{}});
    EXPECT_TRUE(recordings.empty());
}

TEST_F(RecordingsTest, PoolResetForgetsItsOwnOnly) {
    const auto other_pool = handle<VkCommandPool>(200);
    recordings.allocated(pool, std::array{first});
    recordings.allocated(other_pool, std::array{second});
    for (int round = 0; round < 2; ++round) {
        recordings.add(first, {memory(), Direction::Release, Access::Write});
        recordings.pool_reset(pool);
        EXPECT_TRUE(of(first).empty()) << "its command buffers stay allocated: round " << round;
    }
    recordings.add(second, {memory(), Direction::Release, Access::Write});
    recordings.pool_reset(pool);
    EXPECT_EQ(of(second).size(), 1U);
}

TEST_F(RecordingsTest, PoolDestructionForgetsForGood) {
    recordings.allocated(pool, std::array{first});
    recordings.add(first, {memory(), Direction::Release, Access::Write});
    recordings.pool_destroyed(pool);
    EXPECT_TRUE(recordings.empty());
    // A new pool at the same address does not own the old one's command buffers.
    recordings.add(first, {memory(), Direction::Release, Access::Write});
    recordings.pool_reset(pool);
    EXPECT_EQ(of(first).size(), 1U);
}

TEST_F(RecordingsTest, FreedBufferNoLongerBelongsToItsPool) {
    recordings.allocated(pool, std::array{first});
    recordings.freed(pool, std::array{first});
    const auto other_pool = handle<VkCommandPool>(200);
    recordings.allocated(other_pool, std::array{first});
    recordings.add(first, {memory(), Direction::Release, Access::Write});
    recordings.pool_reset(pool);
    EXPECT_EQ(of(first).size(), 1U);
}

TEST_F(RecordingsTest, MemoryLivesAsLongAsARecordingNamesIt) {
    auto buffer = memory();
    const std::weak_ptr<SharedMemory> watched = buffer;
    recordings.add(first, {std::move(buffer), Direction::Release, Access::Write});
    EXPECT_FALSE(watched.expired());
    recordings.clear(first);
    EXPECT_TRUE(watched.expired());
}

TEST_F(RecordingsTest, FreedMemoryIsKeptByNobody) {
    const auto buffer = memory();
    const auto other = memory();
    for (const VkCommandBuffer commands : {first, second}) {
        for (const SharedMemoryRef& one : {buffer, other}) {
            recordings.write(commands, one);
            recordings.add(commands, {one, Direction::Release, Access::Write});
            recordings.add(commands, ResourceStep{.resource = {},
                                                  .kind = ResourceStep::Kind::Use,
                                                  .access = Access::Write,
                                                  .memories = {one}});
        }
    }
    recordings.forget(buffer);
    EXPECT_EQ(buffer.use_count(), 1);
    ASSERT_EQ(of(first).size(), 1U);
    EXPECT_EQ(of(first)[0].memory, other);
}

TEST_F(RecordingsTest, ThreadsWithPoolsOfTheirOwn) {
    const auto buffer = memory();
    std::vector<std::thread> threads;
    for (uintptr_t t = 1; t <= 4; ++t) {
        threads.emplace_back([&, t] {
            const auto own_pool = handle<VkCommandPool>(1000 + t);
            const auto own = handle<VkCommandBuffer>(2000 + t);
            for (int i = 0; i < 500; ++i) {
                recordings.allocated(own_pool, std::array{own});
                recordings.add(own, {buffer, Direction::Release, Access::Write});
                recordings.pool_reset(own_pool);
                recordings.add(own, {buffer, Direction::Acquire, Access::Read});
                recordings.pool_destroyed(own_pool);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(recordings.empty());
    EXPECT_EQ(buffer.use_count(), 1);
}

} // namespace fencebridge::test
