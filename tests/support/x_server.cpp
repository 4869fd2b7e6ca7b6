#include "support/x_server.hpp"

#include "support/sway.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

namespace fencebridge::test {

namespace {

// The guest's processors are emulated: GL's first shaders alone take their time.
constexpr std::chrono::seconds patience(120);

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
        folder_.write("sway.conf", std::string(headless_output) +
                                       "xwayland force\n"
                                       "exec sh -c 'echo $DISPLAY > " +
                                       display_file + ".new && mv " + display_file + ".new " +
                                       display_file + "'\n");
    std::filesystem::permissions(folder_.path(), std::filesystem::perms::owner_all);
    const std::string log = (folder_.path() / "log").string();
    Command command = headless_sway(config);
    command.environment["XDG_RUNTIME_DIR"] = folder_.path().string();
    sway_.emplace(command, log);
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (display_.empty() && !sway_->is_gone() && std::chrono::steady_clock::now() < deadline) {
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

} // namespace fencebridge::test
