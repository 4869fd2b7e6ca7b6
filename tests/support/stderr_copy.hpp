// What a process writes to stderr, to be read by itself as well.
#pragma once

#include "support/fd.hpp"
#include "support/temporary_folder.hpp"

#include <cstdio>
#include <string>

namespace fencebridge::test {

/// While it lives, all that goes to stderr also goes to a file, by a process of its own: nothing is
/// lost where this one dies. Throws std::system_error. One at a time.
class StderrCopy {
public:
    StderrCopy();
    ~StderrCopy();
    StderrCopy(const StderrCopy&) = delete;
    StderrCopy& operator=(const StderrCopy&) = delete;

    /// Ends the copying and returns everything that was written.
    std::string finish();

private:
    TemporaryFolder folder_;
    Fd own_;
    std::FILE* tee_ = nullptr;
};

} // namespace fencebridge::test
