#include "trace_command.hpp"

#include "trace_report.hpp"

#include <cstdio>
#include <exception>
#include <iostream>

namespace fencebridge {

int run_trace(const TraceOptions& options) {
    try {
        const TraceContents trace = read_trace(options.file);
        if (options.as_json) {
            // The names are the driver's, whatever bytes it has put there.
            std::cout << trace_as_json(trace, options.last)
                             .dump(1, ' ', false, nlohmann::json::error_handler_t::replace)
                      << '\n';
        } else {
            std::cout << trace_as_text(trace, options.last);
        }
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "fencebridge: %s %s\n", options.file.c_str(), problem.what());
        return 2;
    }
    return std::cout.flush() ? 0 : 2;
}

} // namespace fencebridge
