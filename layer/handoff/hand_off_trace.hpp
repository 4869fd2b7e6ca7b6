// What a queue's calls tell the trace of their hand-offs.
#pragma once

#include "dispatch/device.hpp"
#include "fence/completion_source.hpp"
#include "handoff/hand_off.hpp"
#include "report/trace.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace fencebridge {

/// Of a device without a trace every member returns at once: a branch on a null pointer, no clock
/// is read. Not thread-safe; the queue's submitter serialises calls. It keeps what is known of the
/// call in progress, so that those who make the hand-offs tell only what happens there.
class HandOffTrace {
public:
    /// A further queue of the device. What waits for a swapchain's image has none.
    explicit HandOffTrace(const Device& device)
        : HandOffTrace(device,
                       device.trace != nullptr ? device.trace->add_queue(device.trace_device) : 0) {
    }
    static HandOffTrace without_queue(const Device& device) { return {device, trace_no_queue}; }

    /// The time, for the members that take one back as `since`.
    uint64_t now() const { return trace_ != nullptr ? Trace::now() : 0; }

    /// A call begins that may hand something off. `parked_id`: it makes the releases that parked()
    /// has told of under that id.
    void begin(uint32_t parked_id = 0) {
        if (trace_ != nullptr) {
            begin_call(parked_id);
        }
    }
    /// The driver has returned from the submit.
    void submitted() {
        if (trace_ != nullptr) {
            submitted_ = Trace::now();
        }
    }
    /// A source was asked for the work's fence.
    void took(SourceKind source, uint64_t since) {
        if (trace_ != nullptr) {
            took_from(source, since);
        }
    }

    /// A release is made, right after took() or the release before it. `buffer` may be null. What
    /// is Done by the source Wait is told as CpuWait.
    void released(const HandOff& hand_off, const DmaBuf* buffer, TraceOutcome outcome) {
        if (trace_ != nullptr) {
            write_release(hand_off, buffer, outcome);
        }
    }
    /// Releases are put off; returns what ties them to those that are made in the end.
    uint32_t parked(std::span<const HandOff> releases) {
        return trace_ != nullptr ? write_parked(releases) : 0;
    }

    /// An acquire is made. `since`: before the look at the buffer, which may be null.
    void acquired(const HandOff& hand_off, const DmaBuf* buffer, TraceOutcome outcome,
                  uint64_t since) {
        if (trace_ != nullptr) {
            looked_at(hand_off, buffer, since);
            settle_last(outcome);
        }
    }
    /// The look has found fences: how they are waited for is told by one of the next two.
    void looked(const HandOff& hand_off, const DmaBuf* buffer, uint64_t since) {
        if (trace_ != nullptr) {
            looked_at(hand_off, buffer, since);
        }
    }
    /// So is the last of them.
    void settled_last(TraceOutcome outcome) {
        if (trace_ != nullptr) {
            settle_last(outcome);
        }
    }
    /// So are all that are left.
    void settled(TraceOutcome outcome) {
        if (trace_ != nullptr) {
            settle_all(outcome);
        }
    }

private:
    /// An acquire, up to what the look has shown.
    struct Look {
        TraceRecord record;
        uint64_t end;
    };

    HandOffTrace(const Device& device, uint16_t queue)
        : trace_(device.trace), device_(device.trace_device), queue_(queue) {}

    void begin_call(uint32_t parked_id);
    void took_from(SourceKind source, uint64_t since);
    void looked_at(const HandOff& hand_off, const DmaBuf* buffer, uint64_t since);
    void settle_last(TraceOutcome outcome);
    void settle_all(TraceOutcome outcome);
    void write_release(const HandOff& hand_off, const DmaBuf* buffer, TraceOutcome outcome);
    uint32_t write_parked(std::span<const HandOff> releases);
    void write_look(const Look& look, TraceOutcome outcome);
    TraceRecord record_of(const HandOff& hand_off, const DmaBuf* buffer) const;

    Trace* const trace_;
    const uint16_t device_;
    const uint16_t queue_;

    // Of the call in progress.
    uint64_t start_ = 0;
    uint64_t submitted_ = 0;
    uint64_t attach_ = 0; ///< begins
    uint32_t source_ns_ = 0;
    TraceSource source_ = TraceSource::None;
    uint32_t parked_id_ = 0;

    std::vector<Look> looks_; ///< kept, so that the steady state allocates nothing
};

} // namespace fencebridge
