// What was written down of a run of the scripted application, and where two runs differ.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace fencebridge::test {

/// A step of the script: what reached the driver in it, and what the application saw.
struct Step {
    std::string name;
    std::vector<std::string> lines;
};
using Recording = std::vector<Step>;

/// Reads a file of lines (application.hpp, recording_layer.cpp).
Recording read_recording(const std::filesystem::path& file);

/// The names of all steps.
std::set<std::string> step_names(const Recording& recording);

/// Lines of the driver's side that a step may have with the layer on and not without it, and the
/// other way round.
struct Allowance {
    const char* step; ///< its name
    const char* line; ///< what it begins with
};

/// The differences in words, step by step; empty where there are none. What is allowed is left out
/// on both sides; then handles get their numbers, in order of appearance.
std::vector<std::string> differences(Recording without, Recording with,
                                     const std::vector<Allowance>& allowed);

} // namespace fencebridge::test
