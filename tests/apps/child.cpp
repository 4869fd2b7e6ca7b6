#include "apps/child.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace fencebridge::test {

std::filesystem::path program(const std::filesystem::path& name) {
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return here.parent_path() / name;
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string>
environment_for(bool bridged, const std::vector<std::pair<std::string, std::string>>& more) {
    const auto is_replaced = [&](std::string_view name) {
        return name == "ENABLE_FENCEBRIDGE" ||
               std::ranges::any_of(more, [&](const auto& one) { return one.first == name; });
    };
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view entry = *variable;
        if (!is_replaced(entry.substr(0, entry.find('=')))) {
            environment.emplace_back(entry);
        }
    }
    if (bridged) {
        environment.emplace_back("ENABLE_FENCEBRIDGE=1");
    }
    for (const auto& [name, value] : more) {
        environment.push_back(name + "=" + value);
    }
    return environment;
}

Child::Child(const std::vector<std::string>& command, const std::vector<std::string>& environment,
             int socket, const std::filesystem::path& out, const std::filesystem::path& err) {
    std::vector<char*> arguments;
    for (const std::string& word : command) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    std::vector<char*> variables;
    for (const std::string& variable : environment) {
        variables.push_back(const_cast<char*>(variable.c_str()));
    }
    variables.push_back(nullptr);
    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(),
                                       O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (!err.empty()) {
        ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(),
                                           O_CREAT | O_TRUNC | O_WRONLY, 0644);
    }
    // To itself: clears CLOEXEC in the child.
    ::posix_spawn_file_actions_adddup2(&actions, socket, child_socket);
    if (::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(), variables.data()) !=
        0) {
        pid_ = -1;
    }
    ::posix_spawn_file_actions_destroy(&actions);
}

bool Child::wait() const {
    int status = 0;
    return pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_ && WIFEXITED(status) &&
           WEXITSTATUS(status) == EXIT_SUCCESS;
}

} // namespace fencebridge::test
