#include "trace_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <span>

namespace fencebridge {

namespace {

template<typename... Arguments>
void add(std::string& text, const char* format, Arguments... arguments) {
    std::array<char, 512> line{};
    const int size = std::snprintf(line.data(), line.size(), format, arguments...);
    text.append(line.data(), std::min(static_cast<size_t>(std::max(size, 0)), line.size() - 1));
}

double microseconds(uint64_t ns) {
    return static_cast<double>(ns) / 1e3;
}
double milliseconds(uint64_t ns) {
    return static_cast<double>(ns) / 1e6;
}

std::string index_or_dash(uint16_t index) {
    return index == UINT16_MAX ? "-" : std::to_string(index);
}

std::string local_time(uint64_t realtime_ns) {
    const auto seconds = static_cast<time_t>(realtime_ns / 1'000'000'000);
    std::tm parts{};
    std::array<char, 64> text{};
    if (::localtime_r(&seconds, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%F %T", &parts) == 0) {
        return "?";
    }
    return text.data();
}

void add_head(std::string& text, const TraceContents& trace) {
    add(text, "process %u, since %s: %llu records", trace.process,
        local_time(trace.start_realtime_ns).c_str(), static_cast<unsigned long long>(trace.begun));
    if (trace.overwritten != 0) {
        add(text, ", %llu overwritten by later ones",
            static_cast<unsigned long long>(trace.overwritten));
    }
    if (trace.torn != 0) {
        add(text, ", %llu not whole", static_cast<unsigned long long>(trace.torn));
    }
    if (trace.dropped != 0) {
        add(text, ", %llu dropped in all", static_cast<unsigned long long>(trace.dropped));
    }
    text += '\n';
    for (size_t i = 0; i < trace.devices.size(); ++i) {
        add(text, "device %zu: %s\n", i, trace.devices[i].c_str());
    }
}

void add_table(std::string& text, std::span<const TraceRecord> records, uint64_t begin) {
    add(text, "\n%12s %3s %5s %7s %8s %-7s %-6s %-9s %-9s %-9s %5s %6s %11s %11s %10s\n", "ms",
        "dev", "queue", "thread", "buffer", "", "access", "origin", "outcome", "source", "guard",
        "parked", "gap us", "source us", "ioctl us");
    for (const TraceRecord& record : records) {
        // Unsigned: where the file holds nonsense, nonsense is shown, and nothing overflows.
        add(text,
            "%12.3f %3s %5s %7u %8llu %-7s %-6s %-9s %-9s %-9s %5s %6s %11.1f %11.1f %10.1f\n",
            milliseconds(record.time_ns - begin), index_or_dash(record.device).c_str(),
            index_or_dash(record.queue).c_str(), record.thread,
            static_cast<unsigned long long>(record.inode), word(direction_of(record)),
            word(access_of(record)), word(record.origin), word(record.outcome), word(record.source),
            is_guarded(record) ? "yes" : "",
            record.parked_id == 0 ? "" : std::to_string(record.parked_id).c_str(),
            microseconds(record.gap_ns), microseconds(record.source_ns),
            microseconds(record.ioctl_ns));
    }
}

/// What became of one dma-buf.
struct Summary {
    std::array<uint64_t, trace_outcomes> outcomes{};
    uint64_t releases = 0;
    uint64_t acquires = 0;
    uint64_t guarded = 0;
    uint64_t cpu_waits = 0;
    uint64_t waited_ns = 0;
    std::vector<uint64_t> gaps;

    uint64_t of(TraceOutcome outcome) const { return outcomes.at(static_cast<size_t>(outcome)); }

    void add(const TraceRecord& record) {
        if (static_cast<size_t>(record.outcome) < outcomes.size()) {
            ++outcomes.at(static_cast<size_t>(record.outcome));
        }
        if (record.outcome == TraceOutcome::Parked) {
            return; // it is made by another
        }
        const bool is_release = direction_of(record) == TraceDirection::Release;
        releases += is_release ? 1 : 0;
        acquires += is_release ? 0 : 1;
        if (is_guarded(record)) {
            ++guarded;
        }
        if (record.outcome == TraceOutcome::CpuWait || record.outcome == TraceOutcome::TimedOut) {
            ++cpu_waits;
            waited_ns += record.gap_ns;
        }
        if (is_release) {
            gaps.push_back(record.gap_ns);
        }
    }
};

void add_summary(std::string& text, std::span<const TraceRecord> records) {
    std::map<uint64_t, Summary> buffers;
    for (const TraceRecord& record : records) {
        buffers[record.inode].add(record);
    }
    add(text, "\n%8s %9s %7s %8s %8s %11s %11s %9s %6s %9s %9s %10s\n", "buffer", "releases",
        "fenced", "guarded", "parked", "gap med us", "gap max us", "acquires", "idle", "in batch",
        "cpu waits", "waited ms");
    for (auto& [inode, buffer] : buffers) {
        std::sort(buffer.gaps.begin(), buffer.gaps.end());
        const bool has_gaps = !buffer.gaps.empty();
        const double fenced = has_gaps
                                  ? 100.0 * static_cast<double>(buffer.of(TraceOutcome::Attached)) /
                                        static_cast<double>(buffer.gaps.size())
                                  : 0;
        const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
        add(text, "%8llu %9llu %6.1f%% %8llu %8llu %11.1f %11.1f %9llu %6llu %9llu %9llu %10.1f\n",
            number(inode), number(buffer.releases), fenced, number(buffer.guarded),
            number(buffer.of(TraceOutcome::Parked)),
            has_gaps ? microseconds(buffer.gaps[buffer.gaps.size() / 2]) : 0,
            has_gaps ? microseconds(buffer.gaps.back()) : 0, number(buffer.acquires),
            number(buffer.of(TraceOutcome::Idle)),
            number(buffer.of(TraceOutcome::Imported) + buffer.of(TraceOutcome::Thread)),
            number(buffer.cpu_waits), milliseconds(buffer.waited_ns));
    }
}

} // namespace

std::string trace_as_text(const TraceContents& trace, size_t last) {
    std::string text;
    add_head(text, trace);
    if (trace.records.empty()) {
        return text;
    }
    const std::span<const TraceRecord> records(trace.records);
    // Numbers are given at the end of a call, times taken at its start.
    uint64_t begin = UINT64_MAX;
    for (const TraceRecord& record : records) {
        begin = std::min(begin, record.time_ns);
    }
    add_table(text, records.last(std::min(last, records.size())), begin);
    add_summary(text, records);
    return text;
}

} // namespace fencebridge
