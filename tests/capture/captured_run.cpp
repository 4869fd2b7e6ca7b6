#include "capture/captured_run.hpp"

#include "apps/child.hpp"
#include "capture/protocol.hpp"
#include "support/temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sys/socket.h>
#include <unistd.h>

namespace fencebridge::test {

namespace {

/// Of two implicit layers the one that the loader finds first stands nearer to the application: the
/// capture layer's folder comes before ours.
std::string implicit_layer_path() {
    const char* const ours = std::getenv("VK_IMPLICIT_LAYER_PATH"); // NOLINT(concurrency-mt-unsafe)
    return program("capture").string() + (ours != nullptr ? std::string(":") + ours : "");
}

} // namespace

std::optional<CapturedRunResult> run_captured(const CapturedRunOptions& options) {
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
        std::perror("socketpair");
        return std::nullopt;
    }
    const TemporaryFolder folder;
    const std::string socket = std::to_string(Child::child_socket);
    const Child reader({program("capture/fencebridge-capture-reader"), socket},
                       environment_for(false), sockets[1], folder.path() / "reader", {});
    const Child presenter(
        {program("capture/fencebridge-presenter"), std::to_string(options.frames),
         std::to_string(options.work_ms)},
        environment_for(options.bridged, {{"ENABLE_TEST_CAPTURE", "1"},
                                          {"VK_IMPLICIT_LAYER_PATH", implicit_layer_path()},
                                          {capture_socket_variable, socket}}),
        sockets[0], folder.path() / "presenter", folder.path() / "log");
    ::close(sockets[0]);
    ::close(sockets[1]);
    const bool has_presented = presenter.wait();
    const bool has_read = reader.wait();
    CapturedRunResult result;
    result.log = slurp(folder.path() / "log");
    const auto seen = nlohmann::json::parse(slurp(folder.path() / "reader"), nullptr, false);
    const auto made = nlohmann::json::parse(slurp(folder.path() / "presenter"), nullptr, false);
    if (!has_presented || !has_read || seen.is_discarded() || made.is_discarded()) {
        std::fprintf(stderr, "%s failed; the application said:\n%s\n",
                     !has_presented ? "the application" : "the reader", result.log.c_str());
        return std::nullopt;
    }
    result.device = made.at("device");
    result.submits = seen.at("submits");
    result.polls = seen.at("polls");
    result.pending_polls = seen.at("pending_polls");
    result.pending_frames = seen.at("pending_frames");
    result.timeouts = seen.at("timeouts");
    result.reads = seen.at("reads");
    result.torn = seen.at("torn");
    result.torn_then_pending = seen.at("torn_then_pending");
    result.undisturbed = seen.at("undisturbed");
    result.undisturbed_torn = seen.at("undisturbed_torn");
    result.undisturbed_old = seen.at("undisturbed_old");
    result.interval_ms = seen.at("interval_ms");
    return result;
}

} // namespace fencebridge::test
