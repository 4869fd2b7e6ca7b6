// Reads a trace that the layer has written, or is writing.
#pragma once

#include "report/trace_format.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fencebridge {

struct TraceContents {
    uint32_t process = 0;
    uint64_t start_monotonic_ns = 0;
    uint64_t start_realtime_ns = 0;
    std::vector<std::string> devices; ///< names, without control characters
    std::vector<TraceRecord> records; ///< whole ones, in the order in which they were begun
    uint64_t begun = 0;               ///< records, ever: the sum of these, and the next two
    uint64_t overwritten = 0;         ///< by later ones
    /// Not whole: being written right now, or left so by a thread that died in it, or dropped.
    uint64_t torn = 0;
    uint64_t dropped = 0; ///< ever, for another thread was still in the slot
};

/// What the file says is not trusted: any bytes give records, or an exception. Throws
/// std::runtime_error with the reason in words: cannot be read, empty, no trace, another version,
/// cut short.
TraceContents read_trace(const std::string& path);

/// Words for what a record holds; "?" for what this version does not know.
const char* word(TraceDirection direction);
const char* word(TraceAccess access);
const char* word(TraceOrigin origin);
const char* word(TraceSource source);
const char* word(TraceOutcome outcome);

inline TraceDirection direction_of(const TraceRecord& record) {
    return (record.what & trace_release_bit) != 0 ? TraceDirection::Release
                                                  : TraceDirection::Acquire;
}
inline TraceAccess access_of(const TraceRecord& record) {
    return (record.what & trace_write_bit) != 0 ? TraceAccess::Write : TraceAccess::Read;
}
inline bool is_guarded(const TraceRecord& record) {
    return (record.what & trace_guard_bit) != 0;
}

} // namespace fencebridge
