#include "run.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace fencebridge {

namespace {

void set_where_given(const char* variable, const std::string& value) {
    if (!value.empty()) {
        ::setenv(variable, value.c_str(), 1);
    }
}

} // namespace

int run_with_layer(const RunOptions& options) {
    ::setenv("ENABLE_FENCEBRIDGE", "1", 1);
    // Any value of it, also an empty one, switches the layer off.
    ::unsetenv("DISABLE_FENCEBRIDGE");
    set_where_given("VK_FENCEBRIDGE_POLICY", options.policy);
    set_where_given("VK_FENCEBRIDGE_FENCE_SOURCE", options.fence_source);
    set_where_given("VK_FENCEBRIDGE_ACQUIRE", options.acquire);
    set_where_given("VK_FENCEBRIDGE_LOG_LEVEL", options.log_level);
    set_where_given("VK_FENCEBRIDGE_TRACE", options.trace);
    set_where_given("VK_ADD_IMPLICIT_LAYER_PATH", options.layer_path);

    std::vector<char*> arguments;
    for (const std::string& word : options.command) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    const int error = errno;
    std::fprintf(stderr, "fencebridge: %s: %s\n", options.command.front().c_str(),
                 std::strerror(error));
    return error == ENOENT ? 127 : 126;
}

} // namespace fencebridge
