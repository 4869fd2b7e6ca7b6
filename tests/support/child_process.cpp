#include "support/child_process.hpp"

#include "support/fd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <spawn.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

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

/// A child that runs, and what it has said so far.
struct Running {
    pid_t pid = -1;
    Fd out;
    Fd err;
    ChildResult result;
};

/// `socket`: one that the child gets as joint_socket, or -1.
Running start(const std::vector<std::string>& argv, const Environment& environment, int socket) {
    Pipe out;
    Pipe err;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.writing.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, err.writing.get(), STDERR_FILENO);
    if (socket >= 0) {
        // Where it is that number already, this clears CLOEXEC in the child.
        ::posix_spawn_file_actions_adddup2(&actions, socket, joint_socket);
    }
    const std::vector<std::string> variables = variables_with(environment);
    pid_t child = -1;
    const int error = ::posix_spawn(&child, argv.at(0).c_str(), &actions, nullptr,
                                    pointers_to(argv).data(), pointers_to(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::system_error(error, std::generic_category(), argv[0]);
    }
    return {child, std::move(out.reading), std::move(err.reading), {}};
}

/// All at once: a child that fills one pipe while we wait on another would never end.
void read_all(std::span<Running> children) {
    std::vector<pollfd> polled;
    std::vector<std::string*> texts;
    for (Running& child : children) {
        polled.push_back({.fd = child.out.get(), .events = POLLIN, .revents = 0});
        texts.push_back(&child.result.out);
        polled.push_back({.fd = child.err.get(), .events = POLLIN, .revents = 0});
        texts.push_back(&child.result.err);
    }
    while (std::ranges::any_of(polled, [](const pollfd& one) { return one.fd >= 0; })) {
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

void finish(std::span<Running> children) {
    read_all(children);
    for (Running& child : children) {
        int status = 0;
        while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
        }
        child.result.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

} // namespace

std::vector<std::string> variables_with(const Environment& changes) {
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

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (const std::string& text : strings) {
        list.push_back(const_cast<char*>(text.c_str()));
    }
    list.push_back(nullptr);
    return list;
}

ChildResult run_child(const std::vector<std::string>& argv, const Environment& environment) {
    Running child = start(argv, environment, -1);
    finish({&child, 1});
    return std::move(child.result);
}

std::pair<ChildResult, ChildResult> run_joined(const Command& first, const Command& second) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        throw std::system_error(errno, std::generic_category(), "socketpair");
    }
    std::array<Fd, 2> sockets{Fd(ends[0]), Fd(ends[1])};
    std::array<Running, 2> children{start(first.argv, first.environment, ends[0]),
                                    start(second.argv, second.environment, ends[1])};
    // Each is to notice that the other has gone.
    sockets = {};
    finish(children);
    return {std::move(children[0].result), std::move(children[1].result)};
}

Environment environment_for(bool bridged, Environment changes) {
    changes["ENABLE_FENCEBRIDGE"] = bridged ? std::optional<std::string>("1") : std::nullopt;
    return changes;
}

std::filesystem::path program(const std::filesystem::path& name) {
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return here.parent_path() / name;
}

std::string from_build(const char* variable) {
    const char* const value = std::getenv(variable); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        throw std::runtime_error(std::string(variable) + " is not set: run this test by Meson");
    }
    return value;
}

} // namespace fencebridge::test
