// A trace on disk: a header, then a ring of records. Shared by the layer, which writes it, and by
// `fencebridge trace`, which reads it, also while it is written. Numbers are in the machine's own
// byte order.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace fencebridge {

constexpr std::array<char, 8> trace_magic{'F', 'B', 'T', 'R', 'A', 'C', 'E', '\n'};
constexpr uint32_t trace_version = 1;

enum class TraceDirection : uint8_t { Acquire, Release };
enum class TraceAccess : uint8_t { Read, Write };
/// How the layer knew of the hand-off.
enum class TraceOrigin : uint8_t { Transfer, Touch, Always, Present };
/// How the fence of a release was to be had; `None`: an acquire, or a parked release.
enum class TraceSource : uint8_t { Semaphore, Fence, Proxy, Wait, None };
enum class TraceOutcome : uint8_t {
    Attached, ///< release: the work's fence is on the dma-buf
    Done,     ///< release: the work was done already, there was nothing to attach
    Parked,   ///< release: put off behind a timeline wait; a record with its id follows
    CpuWait,  ///< the CPU has waited: for the work, or for the peer
    Failed,   ///< release: no fence, the queue is waited for; acquire: the peer's are unknown
    Idle,     ///< acquire: there was nothing to wait for
    Imported, ///< acquire: the peer's fences are a wait of the batch
    Thread,   ///< acquire: a thread waits for them
    TimedOut, ///< acquire: the CPU has waited as long as it may; the work goes on
};
constexpr size_t trace_outcomes = 9;

/// One hand-off, in one cache line. Durations are in nanoseconds.
struct TraceRecord {
    /// trace_published() of the record's number once all else is written; trace_writing() while it
    /// is not; 0 where nothing ever was. Last to be stored.
    uint64_t sequence = 0;
    uint64_t time_ns = 0; ///< CLOCK_MONOTONIC at the start of the application's call
    uint64_t inode = 0;   ///< of the dma-buf; 0 where it could not be had
    uint64_t span_ns = 0; ///< from there until the hand-off was made
    /// Release: of that, from the return of the driver's submit (where the call makes none, from
    /// its start; where it was parked, from its resolving) until the fence was on the dma-buf.
    /// Acquire: from the look at the dma-buf until its fences were in the batch, or waited for.
    uint64_t gap_ns = 0;
    uint32_t source_ns = 0; ///< release: getting the fence from its source; UINT32_MAX: or more
    uint32_t ioctl_ns = 0;  ///< release: the attach; acquire: the look; UINT32_MAX: or more
    uint32_t thread = 0;    ///< gettid()
    uint32_t parked_id = 0; ///< a parked release and what became of it have the same; or 0
    uint16_t device = 0;    ///< index in the header's table, or trace_no_device
    uint16_t queue = 0;     ///< of the device, in the order of their fetching, or trace_no_queue
    uint8_t what = 0;       ///< trace_what()
    TraceOrigin origin{};
    TraceOutcome outcome{};
    TraceSource source{};
};
static_assert(sizeof(TraceRecord) == 64);
using TraceWords = std::array<uint64_t, sizeof(TraceRecord) / sizeof(uint64_t)>;

constexpr uint16_t trace_no_device = UINT16_MAX;
constexpr uint16_t trace_no_queue = UINT16_MAX; ///< an acquire of a swapchain's image has none

constexpr uint64_t trace_writing(uint64_t number) {
    return 2 * number + 1;
}
constexpr uint64_t trace_published(uint64_t number) {
    return 2 * number + 2;
}

/// `TraceRecord::what`: a bit each.
constexpr uint8_t trace_release_bit = 1; ///< or an acquire
constexpr uint8_t trace_write_bit = 2;   ///< or a read
constexpr uint8_t trace_guard_bit = 4;   ///< a guard fence was on the dma-buf before the submit
constexpr uint8_t trace_what(TraceDirection direction, TraceAccess access, bool guarded) {
    return static_cast<uint8_t>((direction == TraceDirection::Release ? trace_release_bit : 0) |
                                (access == TraceAccess::Write ? trace_write_bit : 0) |
                                (guarded ? trace_guard_bit : 0));
}

/// A row of the header's table.
struct TraceDevice {
    uint32_t queues = 0; ///< seen so far
    uint32_t reserved = 0;
    std::array<char, 120> name{}; ///< ends with a zero
};
constexpr size_t trace_devices = 64;

struct TraceHeader {
    std::array<char, 8> magic{};
    uint32_t version = 0; ///< 0 while the rest is not there
    uint32_t header_size = 0;
    uint32_t record_size = 0;
    uint32_t process = 0;
    uint64_t capacity = 0; ///< records in the ring, a power of two
    uint64_t start_monotonic_ns = 0;
    uint64_t start_realtime_ns = 0;
    uint32_t devices = 0; ///< rows of the table that were asked for
    uint32_t next_parked_id = 0;
    std::array<uint8_t, 72> unused{}; // a line of its own for what every writer writes
    uint64_t next = 0;                ///< the number of the next record: as many were begun
    uint64_t dropped = 0; ///< not written, for another thread was still in the slot, a ring behind
    std::array<uint8_t, 48> unused_too{};
    std::array<TraceDevice, trace_devices> device{};
};
static_assert(offsetof(TraceHeader, next) == 128 && offsetof(TraceHeader, device) == 192);

/// Where the ring begins: a whole number of pages.
constexpr size_t trace_header_size = 12288;
static_assert(sizeof(TraceHeader) <= trace_header_size);
/// What the layer makes: 4 MiB.
constexpr size_t trace_capacity = 65536;
constexpr uint64_t trace_file_size(uint64_t capacity) {
    return trace_header_size + capacity * sizeof(TraceRecord);
}

} // namespace fencebridge
