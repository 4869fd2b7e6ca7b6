// A trace in a folder that goes with the test, read as the command reads it.
#pragma once

#include "report/trace.hpp"
#include "support/temporary_folder.hpp"
#include "trace_file.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace fencebridge::test {

class TraceInFolder {
public:
    explicit TraceInFolder(size_t capacity = 64) {
        std::string problem;
        trace = Trace::make(path(), problem, capacity);
        EXPECT_TRUE(trace) << problem;
    }

    std::string path() const { return (folder_.path() / "trace").string(); }
    TraceContents contents() const { return read_trace(path()); }
    std::vector<TraceRecord> records() const { return contents().records; }

private:
    TemporaryFolder folder_;

public:
    std::unique_ptr<Trace> trace;
};

} // namespace fencebridge::test
