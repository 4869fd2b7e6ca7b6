// StripedMap: a map that is nearly free where it has nothing.
#include "handoff/striped_map.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace fencebridge::test {

using Map = StripedMap<uint64_t, int>;

TEST(StripedMap, EmptyMapHasNothing) {
    Map map;
    EXPECT_EQ(map.find(1), std::nullopt);
    EXPECT_FALSE(map.visit(1, [](int) { FAIL(); }));
    map.erase(1);
    EXPECT_EQ(map.size(), 0U);
}

TEST(StripedMap, KeepsEveryKeyApart) {
    Map map;
    constexpr uint64_t keys = 5000;
    for (uint64_t key = 0; key < keys; ++key) {
        map.insert(key, static_cast<int>(key) * 3);
    }
    EXPECT_EQ(map.size(), keys);
    for (uint64_t key = 0; key < keys; ++key) {
        EXPECT_EQ(map.find(key), static_cast<int>(key) * 3);
    }
    for (uint64_t key = 0; key < keys; key += 2) {
        map.erase(key);
    }
    EXPECT_EQ(map.size(), keys / 2);
    for (uint64_t key = 0; key < keys; ++key) {
        EXPECT_EQ(map.find(key).has_value(), key % 2 == 1);
    }
}

TEST(StripedMap, InsertReplacesAndCountsOnce) {
    Map map;
    map.insert(7, 1);
    map.insert(7, 2);
    EXPECT_EQ(map.find(7), 2);
    EXPECT_EQ(map.size(), 1U);
    map.erase(7);
    EXPECT_EQ(map.size(), 0U);
    EXPECT_EQ(map.find(7), std::nullopt);
}

TEST(StripedMap, UpdateMakesOrChanges) {
    Map map;
    map.update(7, [](int& value) { value += 5; });
    map.update(7, [](int& value) { value += 5; });
    EXPECT_EQ(map.find(7), 10);
    EXPECT_EQ(map.size(), 1U);
}

TEST(StripedMap, VisitLooksWithoutACopy) {
    StripedMap<uint64_t, std::unique_ptr<int>> map;
    map.insert(7, std::make_unique<int>(9));
    int seen = 0;
    EXPECT_TRUE(map.visit(7, [&](const std::unique_ptr<int>& value) { seen = *value; }));
    EXPECT_EQ(seen, 9);
}

TEST(StripedMap, ErasedValueMayUseTheMapInItsDestructor) {
    // Values own objects whose ends reach back into the layer: under the stripe's lock that would
    // be a deadlock.
    struct Value {
        StripedMap<uint64_t, std::shared_ptr<Value>>* map = nullptr;
        uint64_t key = 0;
        Value(StripedMap<uint64_t, std::shared_ptr<Value>>* m, uint64_t k) : map(m), key(k) {}
        Value(const Value&) = delete;
        Value& operator=(const Value&) = delete;
        ~Value() { EXPECT_EQ(map->find(key), std::nullopt); }
    };
    StripedMap<uint64_t, std::shared_ptr<Value>> map;
    map.insert(7, std::make_shared<Value>(&map, 7));
    // Another value in the same stripe keeps it from being known as empty.
    for (uint64_t key = 100; key < 1100; ++key) {
        map.insert(key, nullptr);
    }
    map.erase(7);
}

TEST(StripedMap, ThreadsWithKeysOfTheirOwn) {
    Map map;
    std::atomic<int> mistakes = 0;
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (uint64_t i = 0; i < 1000; ++i) {
                const uint64_t key = i * 4 + t;
                map.insert(key, 1);
                map.update(key, [](int& value) { ++value; });
                mistakes += map.find(key) != 2;
                map.erase(key);
                mistakes += map.find(key).has_value();
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(mistakes, 0);
    EXPECT_EQ(map.size(), 0U);
}

} // namespace fencebridge::test
