#include "capture/captured_run.hpp"

#include "capture/protocol.hpp"
#include "support/child_process.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>

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
    const std::string socket = std::to_string(joint_socket);
    const auto [presenter, reader] = run_joined(
        {.argv = {program("capture/fencebridge-presenter"), std::to_string(options.frames),
                  std::to_string(options.work_ms)},
         .environment =
             environment_for(options.bridged, {{"ENABLE_TEST_CAPTURE", "1"},
                                               {"VK_IMPLICIT_LAYER_PATH", implicit_layer_path()},
                                               {capture_socket_variable, socket}})},
        {.argv = {program("capture/fencebridge-capture-reader"), socket}, .environment = {}});
    const auto made = nlohmann::json::parse(presenter.out, nullptr, false);
    const auto seen = nlohmann::json::parse(reader.out, nullptr, false);
    if (presenter.exit_status != 0 || reader.exit_status != 0 || seen.is_discarded() ||
        made.is_discarded()) {
        std::fprintf(stderr, "the application (%d) said:\n%s%s\nthe reader (%d) said:\n%s\n",
                     presenter.exit_status, presenter.out.c_str(), presenter.err.c_str(),
                     reader.exit_status, reader.err.c_str());
        return std::nullopt;
    }
    CapturedRunResult result;
    result.log = presenter.err;
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
