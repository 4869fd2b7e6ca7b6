// Programs run to their end, in environments of the test's choice.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {

struct ChildResult {
    int exit_status = -1; ///< as a shell shows it: 128 + the signal's number where one ended it
    std::string out;
    std::string err;
};

/// Variables to set, or, with no value, to remove; all others are this process's own.
using Environment = std::map<std::string, std::optional<std::string>>;

/// All of this process's, changed so.
std::vector<std::string> variables_with(const Environment& changes);
/// As exec takes them: they point into `strings`, and the last is none.
std::vector<char*> pointers_to(const std::vector<std::string>& strings);

/// Runs argv[0] with these arguments and waits for it; stdin is empty. Throws std::system_error
/// where it cannot be started.
ChildResult run_child(const std::vector<std::string>& argv, const Environment& environment = {});

/// A program and its arguments; variables as above.
struct Command {
    std::vector<std::string> argv;
    Environment environment;
};

/// Runs two at once, each with one end of a socket (SOCK_SEQPACKET) that it knows as
/// `joint_socket`.
std::pair<ChildResult, ChildResult> run_joined(const Command& first, const Command& second);
constexpr int joint_socket = 9;

/// `changes`, and ENABLE_FENCEBRIDGE=1 or none.
Environment environment_for(bool bridged, Environment changes = {});

/// A program of the build by its path below tests/. Every test program lies in a folder there.
std::filesystem::path program(const std::filesystem::path& name);

/// The value of a variable of this process that the build gives to the test. Throws where it is not
/// set.
std::string from_build(const char* variable);

} // namespace fencebridge::test
