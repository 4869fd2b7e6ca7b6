// What a process holds.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <malloc.h>
#include <string>

namespace fencebridge::test {

struct ProcessSize {
    long descriptors = 0;
    long threads = 0;
    long mappings = 0;
    long heap = 0; ///< bytes in use

    static ProcessSize now() {
        const auto entries = [](const char* folder) {
            return std::distance(std::filesystem::directory_iterator(folder),
                                 std::filesystem::directory_iterator());
        };
        ProcessSize size;
        size.heap = static_cast<long>(::mallinfo2().uordblks);
        size.descriptors = entries("/proc/self/fd");
        size.threads = entries("/proc/self/task");
        std::ifstream maps("/proc/self/maps");
        size.mappings = std::count(std::istreambuf_iterator<char>(maps), {}, '\n');
        return size;
    }

    ProcessSize operator-(const ProcessSize& before) const {
        return {descriptors - before.descriptors, threads - before.threads,
                mappings - before.mappings, heap - before.heap};
    }

    std::string text() const {
        return std::to_string(descriptors) + " descriptors, " + std::to_string(threads) +
               " threads, " + std::to_string(mappings) + " mappings, " + std::to_string(heap) +
               " bytes of heap";
    }
};

} // namespace fencebridge::test
