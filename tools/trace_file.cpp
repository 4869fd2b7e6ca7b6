#include "trace_file.hpp"

#include "fence/unique_fd.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace fencebridge {

namespace {

/// Larger than any that a layer would make: 1 GiB.
constexpr uint64_t largest_capacity = 1 << 24;

/// As many bytes as there are, from `offset` on. By read(), not by a mapping: a file that is cut
/// short meanwhile is no SIGBUS.
size_t read_at(int file, void* into, size_t size, size_t offset) {
    size_t done = 0;
    while (done < size) {
        const ssize_t got = ::pread(file, static_cast<char*>(into) + done, size - done,
                                    static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            throw std::runtime_error(std::string("cannot be read: ") + error_text(errno));
        }
        if (got == 0) {
            break;
        }
        done += static_cast<size_t>(got);
    }
    return done;
}

TraceHeader read_header(int file) {
    TraceHeader header;
    const size_t size = read_at(file, &header, sizeof(header), 0);
    if (size == 0) {
        throw std::runtime_error("is empty");
    }
    if (size < header.magic.size() || header.magic != trace_magic) {
        throw std::runtime_error("is no trace");
    }
    if (size < sizeof(header)) {
        throw std::runtime_error("is cut short, in its header");
    }
    if (header.version == 0) {
        throw std::runtime_error("has no header yet");
    }
    if (header.version != trace_version) {
        throw std::runtime_error("is of version " + std::to_string(header.version) +
                                 "; this command reads version " + std::to_string(trace_version));
    }
    if (header.header_size != trace_header_size || header.record_size != sizeof(TraceRecord) ||
        !std::has_single_bit(header.capacity) || header.capacity > largest_capacity) {
        throw std::runtime_error("has a header that makes no sense");
    }
    struct stat status{};
    if (::fstat(file, &status) != 0 ||
        static_cast<uint64_t>(status.st_size) < trace_file_size(header.capacity)) {
        throw std::runtime_error("is cut short");
    }
    return header;
}

std::vector<TraceRecord> read_ring(int file, size_t capacity) {
    std::vector<TraceRecord> ring(capacity);
    const size_t size = capacity * sizeof(TraceRecord);
    if (read_at(file, ring.data(), size, trace_header_size) != size) {
        throw std::runtime_error("is cut short");
    }
    return ring;
}

/// Nothing that a terminal would obey.
std::string printable(const std::array<char, 120>& name) {
    std::string text(name.data(), ::strnlen(name.data(), name.size()));
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
    return text;
}

} // namespace

TraceContents read_trace(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        throw std::runtime_error(std::string("cannot be opened: ") + error_text(errno));
    }
    const TraceHeader before = read_header(file.get());
    const auto capacity = static_cast<size_t>(before.capacity); // no more than largest_capacity
    // Writers may be at it. A number never comes back to a slot: where it is the same before and
    // after, all that was read in between is its record. (One read() gives no order inside.)
    const std::vector<TraceRecord> first = read_ring(file.get(), capacity);
    const std::vector<TraceRecord> ring = read_ring(file.get(), capacity);
    const std::vector<TraceRecord> last = read_ring(file.get(), capacity);
    const TraceHeader after = read_header(file.get());

    TraceContents contents{
        .process = before.process,
        .start_monotonic_ns = before.start_monotonic_ns,
        .start_realtime_ns = before.start_realtime_ns,
        .begun = before.next,
        .overwritten = before.next > capacity ? before.next - capacity : 0,
        .dropped = after.dropped,
    };
    uint64_t overwritten_since = 0;
    const size_t devices = std::min<size_t>(after.devices, trace_devices);
    for (size_t i = 0; i < devices; ++i) {
        contents.devices.push_back(printable(after.device.at(i).name));
    }
    // As it was when we began: what came since is left for the next reader.
    for (uint64_t number = contents.overwritten; number < contents.begun; ++number) {
        const auto slot = static_cast<size_t>(number % capacity);
        const uint64_t sequence = first[slot].sequence;
        if (sequence != last[slot].sequence || sequence > trace_published(number)) {
            ++overwritten_since;
        } else if (sequence != trace_published(number)) {
            ++contents.torn;
        } else {
            contents.records.push_back(ring[slot]);
        }
    }
    contents.overwritten += overwritten_since;
    return contents;
}

const char* word(TraceDirection direction) {
    return direction == TraceDirection::Release ? "release" : "acquire";
}

const char* word(TraceAccess access) {
    return access == TraceAccess::Write ? "write" : "read";
}

const char* word(TraceOrigin origin) {
    switch (origin) {
    case TraceOrigin::Transfer:
        return "transfer";
    case TraceOrigin::Touch:
        return "touch";
    case TraceOrigin::Always:
        return "always";
    case TraceOrigin::Present:
        return "present";
    }
    return "?";
}

const char* word(TraceSource source) {
    switch (source) {
    case TraceSource::Semaphore:
        return "semaphore";
    case TraceSource::Fence:
        return "fence";
    case TraceSource::Proxy:
        return "proxy";
    case TraceSource::Wait:
        return "wait";
    case TraceSource::None:
        return "-";
    }
    return "?";
}

const char* word(TraceOutcome outcome) {
    switch (outcome) {
    case TraceOutcome::Attached:
        return "attached";
    case TraceOutcome::Done:
        return "done";
    case TraceOutcome::Parked:
        return "parked";
    case TraceOutcome::CpuWait:
        return "cpu-wait";
    case TraceOutcome::Failed:
        return "failed";
    case TraceOutcome::Idle:
        return "idle";
    case TraceOutcome::Imported:
        return "imported";
    case TraceOutcome::Thread:
        return "thread";
    case TraceOutcome::TimedOut:
        return "timed-out";
    }
    return "?";
}

} // namespace fencebridge
