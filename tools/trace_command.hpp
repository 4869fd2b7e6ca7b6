// `fencebridge trace`: what the layer has written down of its hand-offs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace fencebridge {

struct TraceOptions {
    std::string file;
    bool as_json = false;
    size_t last = SIZE_MAX; ///< records
};

/// Prints to stdout. 0; 2 where the file cannot be read, with a message on stderr.
int run_trace(const TraceOptions& options);

} // namespace fencebridge
