#include "support/compositor.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {

namespace {

constexpr const char* socket_name = "fencebridge-test";
/// kwin and mutter take half a minute to start on an emulated CPU; a busy machine, longer.
constexpr std::chrono::seconds longest_start{180};

const std::map<std::string, std::string>& commands() {
    static const std::map<std::string, std::string> all{
        {"sway", "sway --config $FENCEBRIDGE_SWAY_CONFIG"},
        {"weston", "weston --backend=headless --renderer=gl --width=640 --height=480 "
                   "--idle-time=0 --socket=fencebridge-test"},
        {"kwin", "dbus-run-session kwin_wayland --virtual --width 640 --height 480 "
                 "--no-lockscreen --socket fencebridge-test"},
        {"mutter", "dbus-run-session mutter --headless --wayland --no-x11 "
                   "--virtual-monitor 640x480 --wayland-display fencebridge-test"},
    };
    return all;
}

/// sway chooses its socket's name itself and tells its own children: one of them makes the name
/// that we look for.
std::string sway_configuration(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "sway.config";
    std::ofstream(file) << "output HEADLESS-1 resolution 640x480\n"
                           "output * bg #204060 solid_color\n"
                           "default_border none\n"
                           "for_window [app_id=\".*\"] floating enable, move position 0 0\n"
                           "exec ln -sf $WAYLAND_DISPLAY $XDG_RUNTIME_DIR/fencebridge-test\n";
    return file.string();
}

[[noreturn]] void throw_not_up(const std::string& name, bool is_gone, const std::string& log) {
    throw std::runtime_error(name + (is_gone ? " has ended" : " does not come up") + ": see " +
                             log);
}

} // namespace

bool waits_for_dma_bufs(const std::string& compositor) {
    return compositor == "kwin" || compositor == "mutter";
}

Compositor::Compositor(const std::string& name, bool software, const std::string& log) {
    const auto command = commands().find(name);
    if (command == commands().end()) {
        throw std::runtime_error("no such compositor: " + name);
    }
    const char* const runtime_folder =
        std::getenv("XDG_RUNTIME_DIR"); // NOLINT(concurrency-mt-unsafe)
    if (runtime_folder == nullptr) {
        throw std::runtime_error("XDG_RUNTIME_DIR is not set");
    }
    const std::filesystem::path socket = std::filesystem::path(runtime_folder) / socket_name;
    std::filesystem::remove(socket);

    // Of no interest to the compositor: what the test process is to do with the layer.
    std::string script = "unset ENABLE_FENCEBRIDGE VK_DRIVER_FILES; "
                         "export WLR_BACKENDS=headless WLR_RENDERER=gles2 "
                         "WLR_RENDER_DRM_DEVICE=/dev/dri/renderD128 WLR_LIBINPUT_NO_DEVICES=1 "
                         "QT_QPA_PLATFORM=offscreen; ";
    if (software) {
        script += "export LIBGL_ALWAYS_SOFTWARE=1; ";
    }
    if (name == "sway") {
        script += "export FENCEBRIDGE_SWAY_CONFIG=";
        script += sway_configuration(runtime_folder);
        script += "; ";
    }
    script += "exec ";
    script += command->second;
    script += " >'" + log;
    script += "' 2>&1 </dev/null";
    std::vector<std::string> words{"bash", "-c", script};
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    const int error =
        ::posix_spawnp(&group_, argv.front(), nullptr, &attributes, argv.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
        throw std::runtime_error("cannot start " + name);
    }
    const auto deadline = std::chrono::steady_clock::now() + longest_start;
    while (!std::filesystem::exists(socket)) {
        const bool is_gone = ::waitpid(group_, nullptr, WNOHANG) != 0;
        if (is_gone || std::chrono::steady_clock::now() > deadline) {
            stop();
            throw_not_up(name, is_gone, log);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ::setenv("WAYLAND_DISPLAY", socket_name, 1); // NOLINT(concurrency-mt-unsafe)
}

Compositor::~Compositor() {
    stop();
}

void Compositor::stop() noexcept {
    ::kill(-group_, SIGTERM);
    for (int tenth = 0; tenth < 30 && ::waitpid(group_, nullptr, WNOHANG) == 0; ++tenth) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    ::kill(-group_, SIGKILL);
    ::waitpid(group_, nullptr, 0);
}

} // namespace fencebridge::test
