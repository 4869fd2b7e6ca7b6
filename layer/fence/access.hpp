// What a party does with a buffer: the one distinction that implicit fences make.
#pragma once

#include <cstdint>

namespace fencebridge {

/// Read-only work leaves a READ-usage fence and waits for writers; anything else leaves a
/// WRITE-usage fence and waits for everybody (enum dma_resv_usage, linux/dma-resv.h).
enum class Access : uint8_t {
    Read,
    Write,
};

/// Unknown or mixed access is a write: the stronger of two.
constexpr Access combine(Access a, Access b) {
    return a == Access::Write || b == Access::Write ? Access::Write : Access::Read;
}

constexpr const char* name(Access access) {
    return access == Access::Write ? "write" : "read";
}

} // namespace fencebridge
