// Which barriers are hand-offs, and with what access.
#include "handoff/barriers.hpp"

#include <gtest/gtest.h>

namespace fencebridge::test {

constexpr uint32_t ours = 0;
constexpr uint32_t external = VK_QUEUE_FAMILY_EXTERNAL;
constexpr uint32_t foreign = VK_QUEUE_FAMILY_FOREIGN_EXT;
constexpr uint32_t ignored = VK_QUEUE_FAMILY_IGNORED;

TEST(Direction, ToAPeerIsARelease) {
    for (const uint32_t peer : {external, foreign}) {
        EXPECT_EQ(direction_of(ours, peer), Direction::Release);
        EXPECT_EQ(direction_of(7, peer), Direction::Release);
        // Some applications leave their own side out; the peer's is what counts.
        EXPECT_EQ(direction_of(ignored, peer), Direction::Release);
    }
}

TEST(Direction, FromAPeerIsAnAcquire) {
    for (const uint32_t peer : {external, foreign}) {
        EXPECT_EQ(direction_of(peer, ours), Direction::Acquire);
        EXPECT_EQ(direction_of(peer, 7), Direction::Acquire);
        EXPECT_EQ(direction_of(peer, ignored), Direction::Acquire);
    }
}

TEST(Direction, AmongOurselvesOrAmongPeersIsNone) {
    EXPECT_EQ(direction_of(ignored, ignored), std::nullopt);
    EXPECT_EQ(direction_of(ours, ours), std::nullopt);
    EXPECT_EQ(direction_of(ours, 1), std::nullopt);
    EXPECT_EQ(direction_of(external, external), std::nullopt);
    EXPECT_EQ(direction_of(external, foreign), std::nullopt);
    EXPECT_EQ(direction_of(foreign, external), std::nullopt);
}

TEST(Access, OnlyKnownReadsAreReads) {
    EXPECT_EQ(access_of(VK_ACCESS_2_SHADER_READ_BIT), Access::Read);
    EXPECT_EQ(access_of(VK_ACCESS_2_TRANSFER_READ_BIT), Access::Read);
    EXPECT_EQ(access_of(VK_ACCESS_2_SHADER_SAMPLED_READ_BIT), Access::Read);
    EXPECT_EQ(access_of(VK_ACCESS_2_MEMORY_READ_BIT | VK_ACCESS_2_HOST_READ_BIT), Access::Read);
    EXPECT_EQ(access_of(VK_ACCESS_2_VIDEO_DECODE_READ_BIT_KHR), Access::Read);
}

TEST(Access, AnyWriteBitIsAWrite) {
    for (const VkAccessFlags2 write :
         {VK_ACCESS_2_SHADER_WRITE_BIT, VK_ACCESS_2_COLOR_ATTACHMENT_WRITE_BIT,
          VK_ACCESS_2_DEPTH_STENCIL_ATTACHMENT_WRITE_BIT, VK_ACCESS_2_TRANSFER_WRITE_BIT,
          VK_ACCESS_2_HOST_WRITE_BIT, VK_ACCESS_2_MEMORY_WRITE_BIT,
          VK_ACCESS_2_SHADER_STORAGE_WRITE_BIT, VK_ACCESS_2_VIDEO_ENCODE_WRITE_BIT_KHR,
          VK_ACCESS_2_TRANSFORM_FEEDBACK_WRITE_BIT_EXT}) {
        EXPECT_EQ(access_of(write), Access::Write) << write;
        EXPECT_EQ(access_of(write | VK_ACCESS_2_SHADER_READ_BIT), Access::Write) << write;
    }
}

TEST(Access, NoneAndUnknownAreWrites) {
    EXPECT_EQ(access_of(0), Access::Write);
    EXPECT_EQ(access_of(1ULL << 63), Access::Write);
    EXPECT_EQ(access_of((1ULL << 63) | VK_ACCESS_2_SHADER_READ_BIT), Access::Write);
}

TEST(Access, TheStrongerOfTwoHolds) {
    EXPECT_EQ(combine(Access::Read, Access::Read), Access::Read);
    EXPECT_EQ(combine(Access::Read, Access::Write), Access::Write);
    EXPECT_EQ(combine(Access::Write, Access::Read), Access::Write);
}

/// Both generations of barriers, images and buffers, go through one template.
template<typename Barrier>
class Transfers : public testing::Test {
protected:
    static Barrier barrier(uint32_t from, uint32_t to, VkAccessFlags before, VkAccessFlags after) {
        Barrier made{};
        made.srcQueueFamilyIndex = from;
        made.dstQueueFamilyIndex = to;
        made.srcAccessMask = before;
        made.dstAccessMask = after;
        if constexpr (requires { made.oldLayout; }) {
            made.oldLayout = VK_IMAGE_LAYOUT_GENERAL;
            made.newLayout = VK_IMAGE_LAYOUT_GENERAL;
        }
        return made;
    }
};
using Barriers = testing::Types<VkImageMemoryBarrier, VkImageMemoryBarrier2, VkBufferMemoryBarrier,
                                VkBufferMemoryBarrier2>;
TYPED_TEST_SUITE(Transfers, Barriers);

constexpr VkAccessFlags reads = VK_ACCESS_SHADER_READ_BIT;
constexpr VkAccessFlags writes = VK_ACCESS_COLOR_ATTACHMENT_WRITE_BIT;

TYPED_TEST(Transfers, ReleaseIsJudgedByWhatWeDidBefore) {
    // The other side's mask is ignored by Vulkan in a release: rubbish there must not count.
    const auto wrote = transfer_of(this->barrier(ours, foreign, writes, reads));
    ASSERT_TRUE(wrote);
    EXPECT_EQ(wrote->direction, Direction::Release);
    EXPECT_EQ(wrote->access, Access::Write);
    const auto read = transfer_of(this->barrier(ours, foreign, reads, writes));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->access, Access::Read);
}

TYPED_TEST(Transfers, AcquireIsJudgedByWhatWeShallDo) {
    const auto will_write = transfer_of(this->barrier(external, ours, reads, writes));
    ASSERT_TRUE(will_write);
    EXPECT_EQ(will_write->direction, Direction::Acquire);
    EXPECT_EQ(will_write->access, Access::Write);
    const auto will_read = transfer_of(this->barrier(external, ours, writes, reads));
    ASSERT_TRUE(will_read);
    EXPECT_EQ(will_read->access, Access::Read);
}

TYPED_TEST(Transfers, OrdinaryBarrierIsNone) {
    EXPECT_FALSE(transfer_of(this->barrier(ignored, ignored, writes, reads)));
    EXPECT_FALSE(transfer_of(this->barrier(ours, 1, writes, reads)));
}

TYPED_TEST(Transfers, DiscardingAnImageIsAWriteWhateverTheMask) {
    if constexpr (requires(TypeParam b) { b.oldLayout; }) {
        for (const auto& [from, to] : {std::pair(external, ours), std::pair(ours, foreign)}) {
            TypeParam discards = this->barrier(from, to, reads, reads);
            discards.oldLayout = VK_IMAGE_LAYOUT_UNDEFINED;
            const auto transfer = transfer_of(discards);
            ASSERT_TRUE(transfer);
            EXPECT_EQ(transfer->access, Access::Write) << (to == foreign ? "release" : "acquire");
        }
    }
}

} // namespace fencebridge::test
