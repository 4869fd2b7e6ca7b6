// fencebridge-in-compositor NAME LOG COMMAND...: runs a command beside a compositor that is there
// for it alone, and ends as the command does. NAME: as support/compositor.hpp has them, or
// xwayland. LOG is a file in $FENCEBRIDGE_JOB/out. With the driver lavapipe ($FENCEBRIDGE_DRIVER)
// the compositor draws on the CPU.
#include "support/compositor.hpp"
#include "support/x_server.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace {

int run(char** argv) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::execvp(argv[0], argv);
        std::perror(argv[0]);
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) {
        std::perror(argv[0]);
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

int main(int argc, char** argv) {
    using namespace fencebridge::test;
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s COMPOSITOR LOG COMMAND...\n", argv[0]);
        return 2;
    }
    const std::string name = argv[1];
    try {
        if (name == "xwayland") {
            const XServer server;
            if (!server.missing().empty()) {
                std::fprintf(stderr, "%s\n", server.missing().c_str());
                return 77;
            }
            ::setenv("DISPLAY", server.display().c_str(), 1);
            return run(argv + 3);
        }
        const char* const driver = std::getenv("FENCEBRIDGE_DRIVER");
        const char* const job = std::getenv("FENCEBRIDGE_JOB");
        const std::filesystem::path folder =
            std::filesystem::path(job != nullptr ? job : "/tmp") / "out";
        std::filesystem::create_directories(folder);
        const Compositor compositor(
            name, driver != nullptr && std::string_view(driver) == "lavapipe", folder / argv[2]);
        return run(argv + 3);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
