// What a device's bridge has done, counted.
#pragma once

#include <atomic>
#include <cstdint>

namespace fencebridge {

/// Counters of one device. Relaxed: they are read for a report, they order nothing.
struct Counters {
    std::atomic<uint64_t> releases{0};         ///< hand-offs out
    std::atomic<uint64_t> fences_attached{0};  ///< releases that left a fence on their dma-buf
    std::atomic<uint64_t> releases_done{0};    ///< releases whose work was done already
    std::atomic<uint64_t> acquires{0};         ///< hand-offs in
    std::atomic<uint64_t> acquires_idle{0};    ///< acquires that had nothing to wait for
    std::atomic<uint64_t> waits_imported{0};   ///< peers' fences put into our batch
    std::atomic<uint64_t> waits_on_thread{0};  ///< peers' fences that a thread waits for
    std::atomic<uint64_t> waits_on_cpu{0};     ///< peers' fences waited for by the CPU
    std::atomic<uint64_t> parked{0};           ///< releases put off behind an unsubmitted wait
    std::atomic<uint64_t> guarded{0};          ///< releases that had a proxy before their submit
    std::atomic<uint64_t> fallbacks{0};        ///< hand-offs that took the slower path
    std::atomic<uint64_t> trailing_submits{0}; ///< submits that the application did not make
};

inline void count(std::atomic<uint64_t>& counter, uint64_t by = 1) {
    counter.fetch_add(by, std::memory_order_relaxed);
}

} // namespace fencebridge
