// A program run to its end, in an environment of the test's choice.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fencebridge::test {

struct ChildResult {
    int exit_status = -1; ///< as a shell shows it: 128 + the signal's number where one ended it
    std::string out;
    std::string err;
};

/// Variables to set, or, with no value, to remove; all others are this process's own.
using Environment = std::map<std::string, std::optional<std::string>>;

/// Runs argv[0] with these arguments and waits for it; stdin is empty. Throws std::system_error
/// where it cannot be started.
ChildResult run_child(const std::vector<std::string>& argv, const Environment& environment = {});

/// The value of a variable of this process that the build gives to the test. Throws where it is not
/// set.
std::string from_build(const char* variable);

} // namespace fencebridge::test
