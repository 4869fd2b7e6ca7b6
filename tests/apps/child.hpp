// Two of our programs side by side, as the test that starts them sees them: a socket for each,
// their output in files.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace fencebridge::test {

/// A program of the build by its path below tests/. Every test program lies in a folder there.
std::filesystem::path program(const std::filesystem::path& name);

std::string slurp(const std::filesystem::path& path);

/// This process's variables with ENABLE_FENCEBRIDGE=1 or without it, and with `more`.
std::vector<std::string>
environment_for(bool bridged, const std::vector<std::pair<std::string, std::string>>& more = {});

/// A child whose stdout, and stderr where asked for, go to files.
class Child {
public:
    Child(const std::vector<std::string>& command, const std::vector<std::string>& environment,
          int socket, const std::filesystem::path& out, const std::filesystem::path& err);

    /// Whether it ended well.
    bool wait() const;

    static constexpr int child_socket = 9; ///< what the child knows `socket` as

private:
    pid_t pid_ = -1;
};

} // namespace fencebridge::test
