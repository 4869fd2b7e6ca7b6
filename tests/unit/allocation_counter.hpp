// How often this program calls operator new, and what happens where that fails.
#pragma once

#include <cstddef>

namespace fencebridge::test {

/// Calls so far, of this thread, outside AllocationPause.
size_t allocation_count();

/// While it lives, the allocation that follows `after` others (of this thread, outside
/// AllocationPause) throws std::bad_alloc; those behind it work again. One at a time.
class FailingAllocation {
public:
    explicit FailingAllocation(size_t after);
    ~FailingAllocation();
    FailingAllocation(const FailingAllocation&) = delete;
    FailingAllocation& operator=(const FailingAllocation&) = delete;

    /// Whether it was reached.
    bool has_failed() const;
};

/// What the test's own parts allocate while it lives does not count.
class AllocationPause {
public:
    AllocationPause();
    ~AllocationPause();
    AllocationPause(const AllocationPause&) = delete;
    AllocationPause& operator=(const AllocationPause&) = delete;
};

} // namespace fencebridge::test
