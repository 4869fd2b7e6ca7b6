// fencebridge: what a person asks the layer from a shell.
#include "config.hpp"
#include "doctor.hpp"
#include "run.hpp"
#include "trace_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    using namespace fencebridge;
    CLI::App app(
        "Fencebridge: Vulkan's explicit synchronisation, bridged to the implicit fences of "
        "dma-bufs");
    app.set_version_flag("--version", FENCEBRIDGE_VERSION);
    app.require_subcommand(1);

    bool as_json = false;
    CLI::App* const doctor = app.add_subcommand(
        "doctor", "What this machine's kernel and Vulkan drivers can do, and what the layer would "
                  "choose and why. Exit status 0: at least one device can be bridged");
    doctor->add_flag("--json", as_json, "As JSON");

    RunOptions run_options;
    CLI::App* const run = app.add_subcommand("run", "Run a command with the layer switched on");
    run->add_option("--policy", run_options.policy, "auto, transfers or off");
    run->add_option("--fence-source", run_options.fence_source, "auto, semaphore, fence or wait");
    run->add_option("--acquire", run_options.acquire, "auto, import or poll");
    run->add_option("--log-level", run_options.log_level, "off, error, warn, info or debug");
    run->add_option("--trace", run_options.trace,
                    "A file for a trace; %p in its name becomes the process id");
    run->add_option("--layer-path", run_options.layer_path,
                    "Folder of the manifest, where the layer is not installed");
    run->add_option("command", run_options.command, "The command and its arguments, behind --")
        ->required();
    run->positionals_at_end();

    TraceOptions trace_options;
    CLI::App* const trace = app.add_subcommand(
        "trace",
        "Show a trace: a file that VK_FENCEBRIDGE_TRACE has named to an application, which "
        "may still be running");
    trace->add_option("file", trace_options.file, "The trace")->required();
    trace->add_flag("--json", trace_options.as_json,
                    "As Chrome's trace-event JSON, for Perfetto (ui.perfetto.dev)");
    trace->add_option("--last", trace_options.last,
                      "Only the last so many records; the summary is of all");

    CLI11_PARSE(app, argc, argv);
    if (*doctor) {
        return run_doctor(as_json);
    }
    if (*trace) {
        return run_trace(trace_options);
    }
    return run_with_layer(run_options);
}
