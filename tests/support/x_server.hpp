// A real X server with DRI3 and Present, without a screen: Xwayland under sway's headless backend.
#pragma once

#include "support/process_group.hpp"
#include "support/temporary_folder.hpp"

#include <optional>
#include <string>

namespace fencebridge::test {

/// Runs as long as the object lives.
class XServer {
public:
    /// Waits until it takes connections. What is missing where it does not come is in missing().
    XServer();

    /// Empty, or what the machine lacks.
    const std::string& missing() const { return missing_; }
    /// As in the variable DISPLAY.
    const std::string& display() const { return display_; }

private:
    TemporaryFolder folder_;
    std::optional<ProcessGroup> sway_;
    std::string missing_;
    std::string display_;
};

} // namespace fencebridge::test
