// Instruction counts of pieces of a program that runs under callgrind.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace fencebridge::test {

/// Instructions of the calling thread are counted from here to counted(), which gives them a name.
/// Aborts where the program does not run under `valgrind --tool=callgrind --instr-atstart=no`.
void count_from_here();
void counted(const std::string& name);

/// The least that was counted so far, by name, of the program's first thread: read from the files
/// that callgrind has left in `folder` (--callgrind-out-file=FOLDER/..., --separate-threads=yes).
std::map<std::string, double> counts_in(const std::filesystem::path& folder);

} // namespace fencebridge::test
