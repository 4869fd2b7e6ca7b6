// A program that runs beside the test, with all that it starts.
#pragma once

#include "support/child_process.hpp"

#include <string>
#include <sys/types.h>

namespace fencebridge::test {

/// A process group of its own, which ends with the object, and its first process with this process
/// in any case. Throws std::system_error where there can be no process.
class ProcessGroup {
public:
    /// argv[0] may be a name to be looked for in $PATH. What the group says goes to `log`, a file.
    ProcessGroup(const Command& command, const std::string& log);
    ~ProcessGroup();
    ProcessGroup(const ProcessGroup&) = delete;
    ProcessGroup& operator=(const ProcessGroup&) = delete;

    /// Whether its first process has ended, or could not be started.
    bool is_gone() noexcept;

private:
    pid_t leader_ = -1;
    bool is_gone_ = false;
};

} // namespace fencebridge::test
