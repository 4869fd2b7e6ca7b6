#include "support/process_group.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {

namespace {

/// It is asked to end, and made to end so much later.
constexpr std::chrono::seconds patience{3};

/// In the child, between fork and exec: plain calls of the kernel alone.
[[noreturn]] void become(char* const* argv, char* const* environment, const char* log) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int output = ::open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
        ::dup2(output, STDERR_FILENO) >= 0) {
        ::execvpe(argv[0], argv, environment);
    }
    ::_exit(127);
}

} // namespace

ProcessGroup::ProcessGroup(const Command& command, const std::string& log) {
    const std::vector<std::string> variables = variables_with(command.environment);
    const std::vector<char*> argv = pointers_to(command.argv);
    const std::vector<char*> environment = pointers_to(variables);
    leader_ = ::fork();
    if (leader_ < 0) {
        throw std::system_error(errno, std::generic_category(), command.argv.at(0));
    }
    if (leader_ == 0) {
        become(argv.data(), environment.data(), log.c_str());
    }
    // The child does the same; whoever comes first, the group is there when we go on.
    ::setpgid(leader_, leader_);
}

ProcessGroup::~ProcessGroup() {
    ::kill(-leader_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!is_gone() && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ::kill(-leader_, SIGKILL);
    if (!is_gone_) {
        ::waitpid(leader_, nullptr, 0);
    }
}

bool ProcessGroup::is_gone() noexcept {
    is_gone_ = is_gone_ || ::waitpid(leader_, nullptr, WNOHANG) != 0;
    return is_gone_;
}

} // namespace fencebridge::test
