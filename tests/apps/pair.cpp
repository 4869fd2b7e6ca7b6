#include "apps/pair.hpp"

#include "apps/frames.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace fencebridge::test {

namespace {

/// The two programs lie in tests/apps of the build, beside or next to whoever runs them.
std::filesystem::path program(const char* name) {
    const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    const auto beside = here / name;
    return std::filesystem::exists(beside) ? beside : here.parent_path() / "apps" / name;
}

std::string slurp(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A child whose stdout, and stderr where asked for, go to files.
class Child {
public:
    Child(const std::vector<std::string>& command, const std::vector<std::string>& environment,
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
        if (::posix_spawn(&pid_, arguments[0], &actions, nullptr, arguments.data(),
                          variables.data()) != 0) {
            pid_ = -1;
        }
        ::posix_spawn_file_actions_destroy(&actions);
    }

    /// Whether it ended well.
    bool wait() const {
        int status = 0;
        return pid_ > 0 && ::waitpid(pid_, &status, 0) == pid_ && WIFEXITED(status) &&
               WEXITSTATUS(status) == EXIT_SUCCESS;
    }

    static constexpr int child_socket = 9;

private:
    pid_t pid_ = -1;
};

std::vector<std::string> environment_for(const PairOptions& options) {
    std::vector<std::string> environment;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string entry = *variable;
        if (!entry.starts_with("ENABLE_FENCEBRIDGE=")) {
            environment.push_back(entry);
        }
    }
    if (options.bridged) {
        environment.emplace_back("ENABLE_FENCEBRIDGE=1");
    }
    for (const auto& [name, value] : options.environment) {
        environment.push_back(name + "=" + value);
    }
    return environment;
}

} // namespace

std::optional<PairResult> run_pair(const PairOptions& options) {
    std::string folder_template =
        std::filesystem::temp_directory_path() / "fencebridge-pair-XXXXXX";
    if (::mkdtemp(folder_template.data()) == nullptr) {
        std::perror("mkdtemp");
        return std::nullopt;
    }
    const std::filesystem::path folder = folder_template;
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
        std::perror("socketpair");
        return std::nullopt;
    }
    const std::string socket = std::to_string(Child::child_socket);
    const Child consumer({program("fencebridge-consumer"), socket, folder / "picture"},
                         environment_for({}), sockets[1], folder / "consumer", {});
    const Child producer({program("fencebridge-producer"), socket, std::to_string(options.frames),
                          std::to_string(options.work_ms)},
                         environment_for(options), sockets[0], folder / "producer", folder / "log");
    ::close(sockets[0]);
    ::close(sockets[1]);
    const bool produced = producer.wait();
    const bool consumed = consumer.wait();
    PairResult result;
    result.log = slurp(folder / "log");
    const auto seen = nlohmann::json::parse(slurp(folder / "consumer"), nullptr, false);
    const auto made = nlohmann::json::parse(slurp(folder / "producer"), nullptr, false);
    const std::string pixels = slurp(folder / "picture");
    std::filesystem::remove_all(folder);
    if (!produced || !consumed || seen.is_discarded() || made.is_discarded()) {
        std::fprintf(stderr, "%s failed; the producer said:\n%s\n",
                     !produced ? "the producer" : "the consumer", result.log.c_str());
        return std::nullopt;
    }
    result.device = made.at("device");
    result.frames = seen.at("frames");
    result.stale = seen.at("stale");
    result.pending = seen.at("pending");
    result.timeouts = seen.at("timeouts");
    result.strip = seen.at("strip").get<std::vector<uint8_t>>();
    result.submit_blocked_us = made.at("submit_blocked_us");
    result.submit_blocked_max_us = made.at("submit_blocked_max_us");
    result.frames_per_second = made.at("frames_per_second");
    result.picture.resize(size_t{frame_width} * frame_height);
    std::memcpy(result.picture.data(), pixels.data(),
                std::min(pixels.size(), result.picture.size() * sizeof(uint32_t)));
    return result;
}

} // namespace fencebridge::test
