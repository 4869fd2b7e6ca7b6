#include "support/compositor.hpp"

#include "support/sway.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace fencebridge::test {

namespace {

constexpr const char* socket_name = "fencebridge-test";
/// kwin and mutter take half a minute to start on an emulated CPU; a busy machine, longer.
constexpr std::chrono::seconds longest_start{180};

/// sway chooses its socket's name itself and tells its own children: one of them makes the name
/// that we look for.
std::string sway_configuration() {
    return std::string(headless_output) +
           "output * bg #204060 solid_color\n"
           "default_border none\n"
           "for_window [app_id=\".*\"] floating enable, move position 0 0\n"
           "exec ln -sf $WAYLAND_DISPLAY $XDG_RUNTIME_DIR/" +
           socket_name + "\n";
}

/// How to start a compositor whose files may lie in `folder`. What is on the screen beside a
/// client's window is the same at any time: no panel, no clock, nothing that moves.
Command command_of(const std::string& name, const TemporaryFolder& folder) {
    if (name == "sway") {
        return headless_sway(folder.write("sway.config", sway_configuration()));
    }
    if (name == "weston") {
        // --debug: whoever asks may take pictures. --fake-seat: without a seat, the kiosk was seen
        // to crash when a window had gone.
        const std::string configuration =
            folder.write("weston.ini", "[shell]\nbackground-color=0xff204060\n");
        return {.argv = {"weston", "--config=" + configuration, "--backend=headless",
                         "--renderer=gl", "--width=640", "--height=480", "--shell=kiosk-shell.so",
                         "--idle-time=0", "--debug", "--fake-seat",
                         std::string("--socket=") + socket_name},
                .environment = {}};
    }
    if (name == "kwin") {
        folder.write("kdeglobals", "[KDE]\nAnimationDurationFactor=0\n");
        return {.argv = {"kwin_wayland", "--virtual", "--width", "640", "--height", "480",
                         "--no-lockscreen", "--socket", socket_name},
                .environment = {{"QT_QPA_PLATFORM", "offscreen"},
                                {"XDG_CONFIG_HOME", folder.path().string()},
                                {"KWIN_SCREENSHOT_NO_PERMISSION_CHECKS", "1"}}};
    }
    if (name == "mutter") {
        return {.argv = {"mutter", "--headless", "--wayland", "--no-x11", "--virtual-monitor",
                         "640x480", "--wayland-display", socket_name},
                .environment = {{"MUTTER_DEBUG_DISABLE_ANIMATIONS", "1"}}};
    }
    throw std::runtime_error("no such compositor: " + name);
}

/// Waits until `program` has made its socket.
void wait_for(const std::filesystem::path& socket, ProcessGroup& program, const std::string& name,
              const std::string& log) {
    const auto deadline = std::chrono::steady_clock::now() + longest_start;
    while (!std::filesystem::exists(socket)) {
        const bool is_gone = program.is_gone();
        if (is_gone || std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error(name + (is_gone ? " has ended" : " does not come up") +
                                     ": see " + log);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
}

} // namespace

bool waits_for_dma_bufs(const std::string& compositor) {
    return compositor == "kwin" || compositor == "mutter";
}

bool offers_explicit_sync(const std::string& compositor) {
    return compositor == "sway" || compositor == "mutter";
}

Compositor::Compositor(const std::string& name, bool software, const std::string& log) {
    Command command = command_of(name, folder_);
    const std::filesystem::path& folder = folder_.path();
    ::setenv("XDG_RUNTIME_DIR", folder.c_str(), 1); // NOLINT(concurrency-mt-unsafe)
    // Of no interest to the compositor: what the test process is to do with the layer.
    command.environment["ENABLE_FENCEBRIDGE"] = std::nullopt;
    command.environment["VK_DRIVER_FILES"] = std::nullopt;
    if (software) {
        command.environment["LIBGL_ALWAYS_SOFTWARE"] = "1";
    }
    if (name == "kwin" || name == "mutter") {
        start_bus();
    }
    compositor_.emplace(command, log);
    wait_for(folder / socket_name, *compositor_, name, log);
    ::setenv("WAYLAND_DISPLAY", socket_name, 1); // NOLINT(concurrency-mt-unsafe)
}

/// A session bus at an address of our own choice.
void Compositor::start_bus() {
    const std::filesystem::path socket = folder_.path() / "bus";
    const std::string address = "unix:path=" + socket.string();
    const std::string log = socket.string() + ".log";
    bus_.emplace(Command{{"dbus-daemon", "--session", "--nofork", "--address=" + address}, {}},
                 log);
    wait_for(socket, *bus_, "the session bus", log);
    ::setenv("DBUS_SESSION_BUS_ADDRESS", address.c_str(), 1); // NOLINT(concurrency-mt-unsafe)
}

} // namespace fencebridge::test
