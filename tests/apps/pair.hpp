// Runs producer and consumer as two processes and collects what they saw.
#pragma once

#include "support/child_process.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fencebridge::test {

struct PairOptions {
    uint32_t frames = 1000;
    uint32_t work_ms = 16;   ///< of the GPU's, each frame
    uint32_t cpu_ms = 0;     ///< of the producer's own, before each
    bool bridged = false;    ///< the producer runs with ENABLE_FENCEBRIDGE=1
    Environment environment; ///< more, for the producer
};

struct PairResult {
    std::string device;
    uint32_t frames = 0;
    uint32_t stale = 0;    ///< frames whose pixels were not this frame's when the poll said so
    uint32_t pending = 0;  ///< frames that had a pending fence when the consumer heard of them
    uint32_t timeouts = 0; ///< frames whose fence did not signal in 30 s
    double submit_blocked_us = 0; ///< median
    double submit_blocked_max_us = 0;
    double frames_per_second = 0;
    double latency_ms = 0;         ///< from before the submit to the consumer's read, median
    std::vector<uint8_t> strip;    ///< wrong bands, frame by frame
    std::vector<uint32_t> picture; ///< the worst frame as the consumer saw it, XRGB
    std::string log;               ///< the producer's stderr
};

/// None where one of the two failed; it has then said why on stderr.
std::optional<PairResult> run_pair(const PairOptions& options);

} // namespace fencebridge::test
