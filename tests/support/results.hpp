// The results of a test program, as JSON lines in the file that FENCEBRIDGE_RESULTS names. ./run
// merges them into its table. Without the variable nothing is written.
#pragma once

#include <string_view>

namespace fencebridge::test {

enum class Status { Pass, Fail, Skip };

/// A case begins. A case that begins and never ends counts as a failure: its program died in it.
void record_start(std::string_view name);

/// It ended. `note` says what failed, or which part of the machine is missing (a skip must say so).
void record_end(std::string_view name, Status status, std::string_view note = {});

/// A measured value. `bar` is what it is held against, in words ("<= 2000"; empty: nothing), `ok`
/// whether it meets that.
void record_value(std::string_view name, double value, std::string_view unit, std::string_view bar,
                  bool ok, std::string_view note = {});

} // namespace fencebridge::test
