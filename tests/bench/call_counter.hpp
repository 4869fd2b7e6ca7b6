// How often this thread calls the kernel and the heap: through functions of this program that stand
// in front of libc's, for the layer's and the driver's calls alike.
#pragma once

#include <cstddef>

namespace fencebridge::test {

struct CallCounts {
    size_t system_calls = 0; ///< ioctl, poll, close, fcntl, read and write
    size_t allocations = 0;  ///< malloc, calloc, realloc, aligned_alloc, posix_memalign
};
inline CallCounts operator-(const CallCounts& after, const CallCounts& before) {
    return {after.system_calls - before.system_calls, after.allocations - before.allocations};
}

/// Of this thread, so far.
CallCounts call_counts();

} // namespace fencebridge::test
