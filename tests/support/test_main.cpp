// main() of every GoogleTest program: GoogleTest's own output, and the results as JSON lines.
#include "support/results.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace {

using fencebridge::test::Status;

std::string full_name(const testing::TestInfo& test) {
    return std::string(test.test_suite_name()) + "." + test.name();
}

class ResultsListener : public testing::EmptyTestEventListener {
public:
    bool had_unexplained_skips() const { return unexplained_skips_; }

private:
    void OnTestStart(const testing::TestInfo& test) override {
        fencebridge::test::record_start(full_name(test));
    }

    void OnTestEnd(const testing::TestInfo& test) override {
        const testing::TestResult& result = *test.result();
        std::string note;
        for (int i = 0; i < result.total_part_count(); ++i) {
            const testing::TestPartResult& part = result.GetTestPartResult(i);
            if (!part.passed()) {
                note += note.empty() ? "" : "; ";
                note += part.message();
            }
        }
        Status status = result.Failed()    ? Status::Fail
                        : result.Skipped() ? Status::Skip
                                           : Status::Pass;
        if (status == Status::Skip && note.find_first_not_of(" \n") == std::string::npos) {
            // A skip is a statement about the machine. One that states nothing hides a failure.
            status = Status::Fail;
            note = "skipped without naming the part of the machine that is missing";
            unexplained_skips_ = true;
        }
        fencebridge::test::record_end(full_name(test), status, note);
    }

    bool unexplained_skips_ = false;
};

} // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    auto* const results = new ResultsListener;
    testing::UnitTest::GetInstance()->listeners().Append(results); // takes ownership
    const int status = RUN_ALL_TESTS();
    if (!GTEST_FLAG_GET(list_tests) && testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
        std::fprintf(stderr, "no test was run: a filter that lets none through proves nothing\n");
        return 1;
    }
    return status == 0 && results->had_unexplained_skips() ? 1 : status;
}
