// What is loaded into this process.
#pragma once

#include <fstream>
#include <string>
#include <string_view>

namespace fencebridge::test {

/// Whether a library is in this process: a test that believes in a layer that is not there proves
/// nothing.
inline bool is_mapped(std::string_view library) {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        if (line.find(library) != std::string::npos) {
            return true;
        }
    }
    return false;
}

} // namespace fencebridge::test
