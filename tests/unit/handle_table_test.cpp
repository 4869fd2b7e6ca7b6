// HandleTable: lock-free lookups beside insertions.
#include "dispatch/handle_table.hpp"
#include "unit/allocation_counter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace fencebridge::test {

namespace {

/// More keys than the table has buckets: some share one.
struct alignas(16) Object {
    const void* dispatch = nullptr;
};
using Objects = std::array<Object, 500>;

/// Kept until the process ends, as the layer keeps its own: a table never frees its nodes.
HandleTable<int>& new_table() {
    static auto& tables = *new std::vector<std::unique_ptr<HandleTable<int>>>;
    tables.push_back(std::make_unique<HandleTable<int>>());
    return *tables.back();
}

} // namespace

TEST(HandleTable, FindsWhatWasInserted) {
    auto& table = new_table();
    Objects keys;
    std::vector<int> values(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(table.find(&keys.at(i)), nullptr);
        table.insert(&keys.at(i), &values[i]);
    }
    for (size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(table.find(&keys.at(i)), &values[i]);
    }
}

TEST(HandleTable, InsertReplaces) {
    auto& table = new_table();
    const Object key;
    int first = 1;
    int second = 2;
    table.insert(&key, &first);
    table.insert(&key, &second);
    EXPECT_EQ(table.find(&key), &second);
    EXPECT_EQ(table.erase(&key), &second);
    EXPECT_EQ(table.find(&key), nullptr) << "the first must not come to light again";
}

TEST(HandleTable, ComingAndGoingGrowsNothing) {
    // Each handle at another address, as in a process that makes devices for years.
    auto& table = new_table();
    const auto keys = std::make_unique<std::array<Object, 20'000>>();
    int value = 1;
    const size_t before = allocation_count();
    for (const Object& key : *keys) {
        table.insert(&key, &value);
        ASSERT_EQ(table.find(&key), &value);
        ASSERT_EQ(table.erase(&key), &value);
        ASSERT_EQ(table.find(&key), nullptr);
    }
    EXPECT_LE(allocation_count() - before, 64U) << "more than one for each of its buckets";
}

TEST(HandleTable, EraseReturnsAndForgets) {
    auto& table = new_table();
    Objects keys;
    int value = 1;
    for (const Object& key : keys) {
        table.insert(&key, &value);
    }
    for (const Object& key : keys) {
        EXPECT_EQ(table.erase(&key), &value);
        EXPECT_EQ(table.erase(&key), nullptr);
        EXPECT_EQ(table.find(&key), nullptr);
    }
    table.insert(keys.data(), &value);
    EXPECT_EQ(table.find(keys.data()), &value) << "drivers use a freed handle's address again";
}

TEST(HandleTable, DispatchKeyIsTheFirstWord) {
    int loader_data = 0;
    Object handle{.dispatch = &loader_data};
    EXPECT_EQ(dispatch_key(&handle), &loader_data);
}

TEST(HandleTable, ReadersSeeTheirKeyWhileOthersComeAndGo) {
    auto& table = new_table();
    Objects keys;
    int stable = 1;
    table.insert(keys.data(), &stable);
    std::atomic<bool> stop = false;
    std::atomic<int> mistakes = 0;
    std::vector<std::thread> readers;
    for (int r = 0; r < 2; ++r) {
        readers.emplace_back([&] {
            while (!stop) {
                mistakes += table.find(keys.data()) != &stable;
            }
        });
    }
    std::vector<std::thread> writers;
    for (size_t w = 0; w < 2; ++w) {
        writers.emplace_back([&, w] {
            int value = 0;
            for (size_t i = 1 + w; i < keys.size(); i += 2) {
                table.insert(&keys.at(i), &value);
                mistakes += table.find(&keys.at(i)) != &value;
                mistakes += table.erase(&keys.at(i)) != &value;
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    stop = true;
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(mistakes, 0);
}

} // namespace fencebridge::test
