// What a display shows, seen from outside the guest.
#pragma once

#include "support/vulkan_memory.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fencebridge::test {

struct Photograph {
    Extent extent;
    std::vector<uint32_t> pixels; ///< 0x00RRGGBB, rows from the top
    std::string error;            ///< why there is none; else empty
};

/// Empty where somebody outside takes photographs; else the reason for a skip.
std::string missing_photographer();

/// Asks the machine around the guest (tests/vm/photograph.py) for what `device`, a display of its
/// own naming, shows now.
Photograph photograph(const std::string& device);

} // namespace fencebridge::test
