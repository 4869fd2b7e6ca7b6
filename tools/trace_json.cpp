#include "trace_report.hpp"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

namespace fencebridge {

namespace {

using Json = nlohmann::json;

/// A track for each queue; what has no queue is told by threads. Perfetto knows tracks by a "thread
/// id" that is unique in the process. (The kernel's thread ids are below 2^22.)
uint64_t track_id(const TraceRecord& record) {
    const uint64_t device = uint64_t{record.device} + 1;
    const uint64_t lane = record.queue == trace_no_queue
                              ? (uint64_t{1} << 24) + (record.thread & 0xffffff)
                              : record.queue;
    return (device << 26) + lane;
}

std::string track_name(const TraceContents& trace, const TraceRecord& record) {
    const std::string device =
        record.device < trace.devices.size() ? trace.devices[record.device] : "?";
    return device + (record.queue == trace_no_queue ? ", thread " + std::to_string(record.thread)
                                                    : ", queue " + std::to_string(record.queue));
}

double microseconds(uint64_t ns) {
    return static_cast<double>(ns) / 1e3;
}

Json arguments_of(const TraceRecord& record) {
    return {
        {"direction", word(direction_of(record))},
        {"access", word(access_of(record))},
        {"origin", word(record.origin)},
        {"outcome", word(record.outcome)},
        {"source", word(record.source)},
        {"buffer", record.inode},
        {"device", record.device},
        {"queue", record.queue == trace_no_queue ? Json() : Json(record.queue)},
        {"thread", record.thread},
        {"guarded", is_guarded(record)},
        {"parked_id", record.parked_id == 0 ? Json() : Json(record.parked_id)},
        {"span_us", microseconds(record.span_ns)},
        {"gap_us", microseconds(record.gap_ns)},
        {"source_us", microseconds(record.source_ns)},
        {"ioctl_us", microseconds(record.ioctl_ns)},
    };
}

Json event_of(const TraceContents& trace, const TraceRecord& record) {
    const uint64_t start = record.time_ns - trace.start_monotonic_ns;
    const bool is_release = direction_of(record) == TraceDirection::Release;
    Json event = {
        {"cat", "hand-off"},
        {"pid", trace.process},
        {"tid", track_id(record)},
        {"args", arguments_of(record)},
        {"name", std::string(word(direction_of(record))) + ' ' + std::to_string(record.inode) +
                     ": " + word(record.outcome)},
    };
    if (record.outcome == TraceOutcome::Parked) {
        event["ph"] = "i";
        event["s"] = "t";
        event["ts"] = microseconds(start + record.span_ns);
        return event;
    }
    const uint64_t shown = is_release ? std::min(record.gap_ns, record.span_ns) : record.span_ns;
    event["ph"] = "X";
    event["ts"] = microseconds(start + record.span_ns - shown);
    event["dur"] = microseconds(shown);
    return event;
}

/// From its parking to its making, on a track of its own: other calls come between.
Json parked_event_of(const TraceContents& trace, const TraceRecord& record) {
    const bool is_begin = record.outcome == TraceOutcome::Parked;
    return {
        {"cat", "parked"},
        {"ph", is_begin ? "b" : "e"},
        {"name", "parked " + std::to_string(record.inode)},
        {"id", std::to_string(record.parked_id) + '.' + std::to_string(record.inode)},
        {"pid", trace.process},
        {"tid", track_id(record)},
        {"ts", microseconds(record.time_ns - trace.start_monotonic_ns + record.span_ns)},
    };
}

} // namespace

Json trace_as_json(const TraceContents& trace, size_t last) {
    const std::span<const TraceRecord> all(trace.records);
    const auto records = all.last(std::min(last, all.size()));
    Json events = Json::array();
    std::set<uint64_t> named;
    for (const TraceRecord& record : records) {
        if (named.insert(track_id(record)).second) {
            events.push_back({{"ph", "M"},
                              {"name", "thread_name"},
                              {"pid", trace.process},
                              {"tid", track_id(record)},
                              {"args", {{"name", track_name(trace, record)}}}});
        }
        events.push_back(event_of(trace, record));
        if (record.parked_id != 0) {
            events.push_back(parked_event_of(trace, record));
        }
    }
    return {
        {"traceEvents", std::move(events)},
        {"displayTimeUnit", "ns"},
        {"otherData",
         {{"process", trace.process},
          {"start_realtime_ns", trace.start_realtime_ns},
          {"devices", trace.devices},
          {"begun", trace.begun},
          {"overwritten", trace.overwritten},
          {"torn", trace.torn},
          {"dropped", trace.dropped}}},
    };
}

} // namespace fencebridge
