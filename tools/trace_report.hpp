// What a trace says, for people and for Perfetto.
#pragma once

#include "trace_file.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

namespace fencebridge {

/// A table of the last `last` records, then a summary of each dma-buf from all of them.
std::string trace_as_text(const TraceContents& trace, size_t last);

/// The same records as Chrome's trace-event JSON, which Perfetto reads. Each record is one event of
/// the category `hand-off` on the track of its queue, in `args` all that is known of it: a release
/// lasts from the submit's return until its fence is there (the gap), an acquire from the call's
/// start until its fences are waited for. What was parked is an event of its own.
nlohmann::json trace_as_json(const TraceContents& trace, size_t last);

} // namespace fencebridge
