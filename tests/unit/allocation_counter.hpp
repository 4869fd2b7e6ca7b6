// How often this program calls operator new.
#pragma once

#include <cstddef>

namespace fencebridge::test {

/// Calls so far, of this thread, outside AllocationPause.
size_t allocation_count();

/// What the test's own parts allocate while it lives does not count.
class AllocationPause {
public:
    AllocationPause();
    ~AllocationPause();
    AllocationPause(const AllocationPause&) = delete;
    AllocationPause& operator=(const AllocationPause&) = delete;
};

} // namespace fencebridge::test
