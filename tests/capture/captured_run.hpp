// Runs the presenting application under the capture layer, with the layer's reader beside it, and
// collects what the reader saw.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fencebridge::test {

struct CapturedRunOptions {
    uint32_t frames = 200;
    uint32_t work_ms = 30;
    bool bridged = false; ///< the application runs with ENABLE_FENCEBRIDGE=1
};

/// The numbers are the reader's (capture/reader.cpp).
struct CapturedRunResult {
    std::string device;
    uint32_t submits = 0; ///< of the capture layer: the presented frames and frame 0
    uint32_t polls = 0;
    uint32_t pending_polls = 0;
    uint32_t pending_frames = 0;
    uint32_t timeouts = 0;
    uint32_t reads = 0;
    uint32_t torn = 0;
    uint32_t torn_then_pending = 0;
    uint32_t undisturbed = 0;
    uint32_t undisturbed_torn = 0;
    uint32_t undisturbed_old = 0;
    double interval_ms = 0; ///< from poll to poll, median
    std::string log;        ///< the application's stderr: what both layers say
};

/// None where one of the two failed; it has then said why on stderr.
std::optional<CapturedRunResult> run_captured(const CapturedRunOptions& options);

} // namespace fencebridge::test
