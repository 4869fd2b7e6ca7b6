// The compositor of the whole program, $FENCEBRIDGE_COMPOSITOR: it comes before the first test and
// goes after the last one.
#pragma once

#include <string>

namespace fencebridge::test {

std::string compositor_name();

/// Where a picture or a log stays when the run is over: COMPOSITOR-DRIVER and `what`.
std::string output_file(const std::string& what);

/// Its value, or "".
std::string environment_variable(const char* name);

} // namespace fencebridge::test
