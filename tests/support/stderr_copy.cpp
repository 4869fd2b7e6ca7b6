#include "support/stderr_copy.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <system_error>
#include <unistd.h>

namespace fencebridge::test {

StderrCopy::StderrCopy() : own_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) {
    const std::string command = "exec tee '" + (folder_.path() / "stderr").string() + "' >&2";
    tee_ = ::popen(command.c_str(), "we"); // NOLINT(cert-env33-c)
    if (tee_ == nullptr || !own_ || ::dup2(::fileno(tee_), STDERR_FILENO) < 0) {
        throw std::system_error(errno, std::generic_category(), "a copy of stderr");
    }
}

StderrCopy::~StderrCopy() {
    (void)finish();
}

std::string StderrCopy::finish() {
    if (tee_ == nullptr) {
        return {};
    }
    // The last writing end goes with pclose(), which waits until all was read.
    (void)::dup2(own_.get(), STDERR_FILENO);
    (void)::pclose(tee_);
    tee_ = nullptr;
    std::ostringstream text;
    text << std::ifstream(folder_.path() / "stderr").rdbuf();
    return text.str();
}

} // namespace fencebridge::test
