#include "handoff/bridge.hpp"

#include "report/log.hpp"

namespace fencebridge {

namespace {

unsigned long long value(const std::atomic<uint64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
}

} // namespace

Bridge::~Bridge() {
    const Counters& counters = device_.counters;
    log(LogLevel::Info,
        "%s: releases %llu (fences attached %llu, work already done %llu, parked %llu), acquires "
        "%llu (idle %llu, waits imported %llu, waits on CPU %llu), fallbacks %llu, trailing "
        "submits %llu",
        device_.capabilities.device_name.c_str(), value(counters.releases),
        value(counters.fences_attached), value(counters.releases_done), value(counters.parked),
        value(counters.acquires), value(counters.acquires_idle), value(counters.waits_imported),
        value(counters.waits_on_cpu), value(counters.fallbacks), value(counters.trailing_submits));
}

QueueSubmitter& Bridge::queue(VkQueue queue) {
    const std::lock_guard guard(queues_mutex_);
    auto& submitter = queues_[queue];
    if (!submitter) {
        submitter = std::make_unique<QueueSubmitter>(device_, queue, recordings, timelines,
                                                     exportable_fences);
    }
    return *submitter;
}

void Bridge::record(VkCommandBuffer command_buffer, const Transfer& transfer,
                    std::span<const SharedMemoryRef> under) {
    for (const SharedMemoryRef& memory : under) {
        recordings.add(command_buffer, {memory, transfer.direction, transfer.access});
    }
}

} // namespace fencebridge
