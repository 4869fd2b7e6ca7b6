#include "stress/differences.hpp"

#include <cstdio>

namespace fencebridge::test {

namespace {

/// Enough to see a pattern in, few enough to be read.
constexpr uint64_t written_limit = 50;

thread_local size_t current_thread = 0;
thread_local uint64_t current_operation = 0;

std::string text(const Range& range) {
    if (range.least == range.most) {
        return std::to_string(range.least);
    }
    return std::to_string(range.least) + " to " +
           (range.most == Range::any ? "many" : std::to_string(range.most));
}

} // namespace

void Differences::at(size_t thread, uint64_t operation) {
    current_thread = thread;
    current_operation = operation;
}

void Differences::expect(const Range& expected, const Range& seen, size_t buffer,
                         const char* what) {
    ++checks_;
    if (expected.is_exact()) {
        ++exact_checks_;
    }
    if (!expected.meets(seen)) {
        add("buffer " + std::to_string(buffer) + ", " + what + ": pending fences expected " +
            text(expected) + ", seen " + text(seen));
    }
}

void Differences::add(const std::string& what) {
    if (count_++ < written_limit && loud_) {
        const std::string line = "difference: seed " + std::to_string(seed_) + ", thread " +
                                 std::to_string(current_thread) + ", operation " +
                                 std::to_string(current_operation) + ", " + what + "\n";
        (void)std::fputs(line.c_str(), stdout);
        (void)std::fflush(stdout);
    }
}

} // namespace fencebridge::test
