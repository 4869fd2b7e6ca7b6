#include "support/child_process.hpp"

#include "support/fd.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>

namespace fencebridge::test {

namespace {

struct Pipe {
    Fd reading;
    Fd writing;
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            throw std::system_error(errno, std::generic_category(), "pipe");
        }
        reading = Fd(ends[0]);
        writing = Fd(ends[1]);
    }
};

std::vector<std::string> with(const Environment& changes) {
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string text = *variable;
        if (!changes.contains(text.substr(0, text.find('=')))) {
            variables.push_back(text);
        }
    }
    for (const auto& [name, value] : changes) {
        if (value) {
            variables.push_back(name + "=" + *value);
        }
    }
    return variables;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (const std::string& text : strings) {
        list.push_back(const_cast<char*>(text.c_str()));
    }
    list.push_back(nullptr);
    return list;
}

/// Both at once: a child that fills one pipe while we wait on the other would never end.
void read_both(const Fd& out, std::string& out_text, const Fd& err, std::string& err_text) {
    std::array<pollfd, 2> polled{{{.fd = out.get(), .events = POLLIN, .revents = 0},
                                  {.fd = err.get(), .events = POLLIN, .revents = 0}}};
    const std::array<std::string*, 2> texts{&out_text, &err_text};
    while (polled[0].fd >= 0 || polled[1].fd >= 0) {
        if (::poll(polled.data(), polled.size(), -1) < 0 && errno != EINTR) {
            return;
        }
        for (size_t i = 0; i < polled.size(); ++i) {
            if (polled.at(i).fd < 0 || polled.at(i).revents == 0) {
                continue;
            }
            std::array<char, 4096> buffer{};
            const ssize_t got = ::read(polled.at(i).fd, buffer.data(), buffer.size());
            if (got <= 0) {
                polled.at(i).fd = -1;
            } else {
                texts.at(i)->append(buffer.data(), static_cast<size_t>(got));
            }
        }
    }
}

} // namespace

ChildResult run_child(const std::vector<std::string>& argv, const Environment& environment) {
    Pipe out;
    Pipe err;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.writing.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.writing.get(), STDERR_FILENO);
    const std::vector<std::string> variables = with(environment);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv.at(0).c_str(), &actions, nullptr,
                                    pointers(argv).data(), pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), argv[0]);
    }
    out.writing = Fd();
    err.writing = Fd();
    ChildResult result;
    read_both(out.reading, result.out, err.reading, result.err);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return result;
}

std::string from_build(const char* variable) {
    const char* const value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        throw std::runtime_error(std::string(variable) + " is not set: run this test by Meson");
    }
    return value;
}

} // namespace fencebridge::test
