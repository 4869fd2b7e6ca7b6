// Arena: copies for one submit, without an allocation in the steady state.
#include "handoff/arena.hpp"
#include "unit/allocation_counter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace fencebridge::test {

TEST(Arena, MakesZeroedObjects) {
    Arena arena;
    uint64_t* const dirty = arena.make<uint64_t>(64);
    std::fill_n(dirty, 64, ~0ULL);
    arena.reset();
    const uint64_t* const values = arena.make<uint64_t>(64);
    ASSERT_EQ(values, dirty) << "the same memory, or this shows nothing";
    for (size_t i = 0; i < 64; ++i) {
        EXPECT_EQ(values[i], 0U);
    }
}

TEST(Arena, CopiesWithRoomBehind) {
    Arena arena;
    const std::array<uint32_t, 3> from{7, 8, 9};
    const uint32_t* const copy = arena.copy(from.data(), from.size(), 2);
    EXPECT_EQ((std::vector<uint32_t>(copy, copy + 5)), (std::vector<uint32_t>{7, 8, 9, 0, 0}));
}

TEST(Arena, CopiesNothingFromNull) {
    Arena arena;
    const uint32_t* const copy = arena.copy<uint32_t>(nullptr, 0, 1);
    EXPECT_EQ(*copy, 0U);
}

TEST(Arena, ObjectsAreAlignedAndDoNotOverlap) {
    Arena arena;
    std::vector<std::pair<uint8_t*, uint8_t>> made;
    for (uint8_t i = 1; i < 200; ++i) {
        auto* const bytes = arena.make<uint8_t>(i);
        EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 16, 0U);
        std::fill_n(bytes, i, i);
        made.emplace_back(bytes, i);
    }
    // Also those of the blocks that were full before: pointers hold until reset().
    for (const auto& [bytes, value] : made) {
        for (size_t i = 0; i < value; ++i) {
            ASSERT_EQ(bytes[i], value);
        }
    }
}

TEST(Arena, TakesObjectsLargerThanABlock) {
    Arena arena;
    auto* const large = arena.make<uint64_t>(100'000);
    large[99'999] = 1;
    EXPECT_EQ(large[99'999], 1U);
}

TEST(Arena, SteadyStateAllocatesNothing) {
    Arena arena;
    const auto submit = [&] {
        arena.reset();
        for (size_t i = 0; i < 300; ++i) {
            (void)arena.make<uint64_t>(1 + i % 40);
        }
    };
    submit();
    submit(); // gathers what the first needed into one block
    const size_t before = allocation_count();
    for (int i = 0; i < 100; ++i) {
        submit();
    }
    EXPECT_EQ(allocation_count(), before);
}

TEST(Arena, FirstUseAllocates) {
    // The counter counts: without this the test above could not fail.
    const size_t before = allocation_count();
    Arena arena;
    (void)arena.make<uint64_t>(1);
    EXPECT_GT(allocation_count(), before);
}

} // namespace fencebridge::test
