// What the compositor of the program shows.
#pragma once

#include "support/vulkan_memory.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fencebridge::test {

struct Screenshot {
    Extent extent;
    std::vector<uint32_t> pixels; ///< 0x00RRGGBB, rows from the top

    uint32_t at(uint32_t x, uint32_t y) const { return pixels.at(size_t{y} * extent.width + x); }
};

/// Takes one, by the means that the compositor has (screenshot.py); it stays in `file`, a PNG.
/// Throws std::runtime_error where there is none.
Screenshot take_screenshot(const std::string& file);

} // namespace fencebridge::test
