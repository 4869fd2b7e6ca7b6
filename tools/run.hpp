// `fencebridge run`: a command with the layer switched on.
#pragma once

#include <string>
#include <vector>

namespace fencebridge {

struct RunOptions {
    std::string policy;
    std::string fence_source;
    std::string acquire;
    std::string log_level;
    std::string trace;
    std::string layer_path;
    std::vector<std::string> command;
};

/// Replaces this process by the command. Returns only where that fails: 127 where there is no such
/// command, 126 where it cannot be run, with a message on stderr.
int run_with_layer(const RunOptions& options);

} // namespace fencebridge
