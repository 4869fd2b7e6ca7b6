#include "handoff/hand_off_trace.hpp"

#include <algorithm>

namespace fencebridge {

namespace {

// The file's words are its own: a reader need not be of this build.
constexpr TraceOrigin in_file(Origin origin) {
    switch (origin) {
    case Origin::Transfer:
        return TraceOrigin::Transfer;
    case Origin::Touch:
        return TraceOrigin::Touch;
    case Origin::Always:
        return TraceOrigin::Always;
    case Origin::Present:
        break;
    }
    return TraceOrigin::Present;
}

constexpr TraceSource in_file(SourceKind source) {
    switch (source) {
    case SourceKind::Semaphore:
        return TraceSource::Semaphore;
    case SourceKind::Fence:
        return TraceSource::Fence;
    case SourceKind::Proxy:
        return TraceSource::Proxy;
    case SourceKind::Wait:
        break;
    }
    return TraceSource::Wait;
}

constexpr uint32_t short_ns(uint64_t duration) {
    return static_cast<uint32_t>(std::min<uint64_t>(duration, UINT32_MAX));
}

} // namespace

void HandOffTrace::begin_call(uint32_t parked_id) {
    start_ = Trace::now();
    submitted_ = start_;
    attach_ = start_;
    source_ns_ = 0;
    source_ = TraceSource::None;
    parked_id_ = parked_id;
    looks_.clear();
}

void HandOffTrace::took_from(SourceKind source, uint64_t since) {
    attach_ = Trace::now();
    source_ = in_file(source);
    source_ns_ = short_ns(attach_ - since);
}

TraceRecord HandOffTrace::record_of(const HandOff& hand_off, const DmaBuf* buffer) const {
    return {
        .time_ns = start_,
        .inode = buffer != nullptr ? static_cast<uint64_t>(buffer->inode()) : 0,
        .parked_id = parked_id_,
        .device = device_,
        .queue = queue_,
        .what =
            trace_what(hand_off.direction == Direction::Release ? TraceDirection::Release
                                                                : TraceDirection::Acquire,
                       hand_off.access == Access::Write ? TraceAccess::Write : TraceAccess::Read,
                       hand_off.is_guarded),
        .origin = in_file(hand_off.origin),
        .source = TraceSource::None,
    };
}

void HandOffTrace::write_release(const HandOff& hand_off, const DmaBuf* buffer,
                                 TraceOutcome outcome) {
    const uint64_t end = Trace::now();
    TraceRecord record = record_of(hand_off, buffer);
    record.span_ns = end - start_;
    record.gap_ns = end - submitted_;
    record.source_ns = source_ns_;
    record.ioctl_ns = short_ns(end - attach_);
    attach_ = end;
    const bool has_waited = outcome == TraceOutcome::Done && source_ == TraceSource::Wait;
    record.outcome = has_waited ? TraceOutcome::CpuWait : outcome;
    record.source = source_;
    trace_->write(record);
}

uint32_t HandOffTrace::write_parked(std::span<const HandOff> releases) {
    const uint64_t end = Trace::now();
    parked_id_ = trace_->new_parked_id();
    for (const HandOff& hand_off : releases) {
        TraceRecord record = record_of(hand_off, hand_off.memory->dma_buf().get());
        record.span_ns = end - start_;
        record.outcome = TraceOutcome::Parked;
        trace_->write(record);
    }
    return parked_id_;
}

void HandOffTrace::looked_at(const HandOff& hand_off, const DmaBuf* buffer, uint64_t since) {
    Look look{.record = record_of(hand_off, buffer), .end = Trace::now()};
    look.record.ioctl_ns = short_ns(look.end - since);
    looks_.push_back(look);
}

void HandOffTrace::settle_last(TraceOutcome outcome) {
    if (!looks_.empty()) {
        write_look(looks_.back(), outcome);
        looks_.pop_back();
    }
}

void HandOffTrace::settle_all(TraceOutcome outcome) {
    for (const Look& look : looks_) {
        write_look(look, outcome);
    }
    looks_.clear();
}

void HandOffTrace::write_look(const Look& look, TraceOutcome outcome) {
    const bool by_the_look = outcome == TraceOutcome::Idle || outcome == TraceOutcome::Failed;
    const uint64_t end = by_the_look ? look.end : Trace::now();
    TraceRecord record = look.record;
    record.span_ns = end - start_;
    record.gap_ns = end - look.end;
    record.outcome = outcome;
    trace_->write(record);
}

} // namespace fencebridge
