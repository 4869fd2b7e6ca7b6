// sway without a screen.
#pragma once

#include "support/child_process.hpp"

#include <string>

namespace fencebridge::test {

constexpr const char* sway_program = "/usr/bin/sway";
/// That it draws on.
constexpr const char* render_node = "/dev/dri/renderD128";

/// How to start it with this configuration, a file.
Command headless_sway(const std::string& configuration);

/// The output that it then has, for the configuration.
constexpr const char* headless_output = "output HEADLESS-1 resolution 640x480\n";

} // namespace fencebridge::test
