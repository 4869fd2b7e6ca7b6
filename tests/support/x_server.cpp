#include "support/x_server.hpp"

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {

namespace {

constexpr const char* sway_program = "/usr/bin/sway";
constexpr const char* render_node = "/dev/dri/renderD128";
// The guest's processors are emulated: GL's first shaders alone take their time.
constexpr std::chrono::seconds patience(120);

/// A child that ends with this process, with its output in `log`.
pid_t start(std::vector<std::string> argv, const std::string& log) {
    std::vector<char*> pointers;
    pointers.reserve(argv.size() + 1);
    for (std::string& text : argv) {
        pointers.push_back(text.data());
    }
    pointers.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (output < 0 || ::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0) {
            ::_exit(127);
        }
        ::execv(pointers[0], pointers.data());
        ::_exit(127);
    }
    return child;
}

} // namespace

XServer::XServer() {
    for (const char* const part : {sway_program, "/usr/bin/Xwayland", render_node}) {
        if (!std::filesystem::exists(part)) {
            missing_ = std::string("no ") + part + ": no X server with DRI3 to present to";
            return;
        }
    }
    // An X server that is not root's makes its socket here, and not the folder.
    std::error_code ignored;
    std::filesystem::create_directory("/tmp/.X11-unix", ignored);
    std::filesystem::permissions("/tmp/.X11-unix",
                                 std::filesystem::perms::all | std::filesystem::perms::sticky_bit,
                                 ignored);
    const std::string display_file = (folder_.path() / "display").string();
    const std::string config =
        folder_.write("sway.conf", "output HEADLESS-1 resolution 640x480\n"
                                   "xwayland force\n"
                                   "exec sh -c 'echo $DISPLAY > " +
                                       display_file + ".new && mv " + display_file + ".new " +
                                       display_file + "'\n");
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
    const std::string log = (folder_.path() / "log").string();
    sway_ = start({"/usr/bin/env", "-u", "DISPLAY", "-u", "WAYLAND_DISPLAY",
                   "XDG_RUNTIME_DIR=" + folder_.path().string(), "WLR_BACKENDS=headless",
                   "WLR_RENDERER=gles2", std::string("WLR_RENDER_DRM_DEVICE=") + render_node,
                   "WLR_LIBINPUT_NO_DEVICES=1", sway_program, "-c", config},
                  log);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (display_.empty() && ::waitpid(sway_, nullptr, WNOHANG) == 0 &&
           std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        std::getline(std::ifstream(display_file), display_);
    }
    if (display_.empty()) {
        std::string last;
        std::ifstream said(log);
        for (std::string line; std::getline(said, line);) {
            last = line;
        }
        missing_ = "sway shows nothing here: " + last;
    }
}

XServer::~XServer() {
    if (sway_ > 0) {
        ::kill(sway_, SIGTERM);
        ::waitpid(sway_, nullptr, 0);
    }
}

} // namespace fencebridge::test
