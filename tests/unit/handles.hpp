// Handles for tests in which no driver makes them.
#pragma once

#include "vulkan_handles.hpp"

#include <cstdint>

namespace fencebridge::test {

/// Number `number` of its kind. Drivers' handles are mostly addresses: the low bits are zero.
template<typename Handle>
Handle handle(uint64_t number) {
    return handle_of_number<Handle>(number * 16);
}

} // namespace fencebridge::test
