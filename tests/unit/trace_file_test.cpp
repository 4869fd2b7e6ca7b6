// The trace as it is read: by whatever name the file goes, whatever is in it.
#include "trace_report.hpp"
#include "unit/traced.hpp"

#include <array>
#include <fstream>
#include <random>

namespace fencebridge::test {

namespace {

std::string problem_of(const std::string& path) {
    try {
        (void)read_trace(path);
    } catch (const std::runtime_error& problem) {
        return problem.what();
    }
    return "";
}

/// Two frames of one buffer on one queue: a release 1 ms after the start of the trace, whose fence
/// came 20 us after the submit's return, and the acquire of the next; then a parked release.
class ReadTrace : public testing::Test {
protected:
    ReadTrace() {
        (void)in_folder.trace->add_device("a GPU\x1b[2J");
        const uint64_t begin = in_folder.contents().start_monotonic_ns;
        const uint8_t release = trace_what(TraceDirection::Release, TraceAccess::Write, true);
        in_folder.trace->write({.time_ns = begin + 1'000'000,
                                .inode = 42,
                                .span_ns = 70'000,
                                .gap_ns = 20'000,
                                .source_ns = 15'000,
                                .ioctl_ns = 2'000,
                                .what = release,
                                .outcome = TraceOutcome::Attached,
                                .source = TraceSource::Fence});
        in_folder.trace->write(
            {.time_ns = begin + 2'000'000,
             .inode = 42,
             .span_ns = 5'000'000,
             .gap_ns = 4'900'000,
             .ioctl_ns = 90'000,
             .what = trace_what(TraceDirection::Acquire, TraceAccess::Write, false),
             .outcome = TraceOutcome::CpuWait,
             .source = TraceSource::None});
        for (const TraceOutcome outcome : {TraceOutcome::Parked, TraceOutcome::Done}) {
            in_folder.trace->write({.time_ns = begin + 9'000'000,
                                    .inode = 43,
                                    .span_ns = 10'000,
                                    .parked_id = 1,
                                    .queue = 1,
                                    .what = release,
                                    .outcome = outcome,
                                    .source = TraceSource::Semaphore});
        }
    }

    /// The file with another size or other bytes in it.
    std::string changed(size_t size, size_t offset = 0, const std::string& bytes = "") {
        std::ifstream file(in_folder.path(), std::ios::binary);
        std::string content{std::istreambuf_iterator<char>(file), {}};
        content.replace(offset, bytes.size(), bytes);
        content.resize(std::min(size, content.size()));
        return folder.write("changed", content);
    }

    TraceInFolder in_folder;
    TemporaryFolder folder;
};

} // namespace

TEST_F(ReadTrace, SaysWhyItCannotBeRead) {
    EXPECT_NE(problem_of((folder.path() / "none").string()).find("opened"), std::string::npos);
    EXPECT_NE(problem_of(folder.path().string()).find("read"), std::string::npos) << "a folder";
    EXPECT_EQ(problem_of(folder.write("empty", "")), "is empty");
    EXPECT_EQ(problem_of(folder.write("text", "Hello, world. This is no trace.")), "is no trace");
    EXPECT_EQ(problem_of(folder.write("short", "FB")), "is no trace");
    EXPECT_NE(problem_of(changed(100)).find("cut short"), std::string::npos);
    EXPECT_NE(problem_of(changed(trace_header_size + 100)).find("cut short"), std::string::npos);
    EXPECT_NE(problem_of(changed(SIZE_MAX, 8, std::string("\2\0\0\0", 4))).find("version 2"),
              std::string::npos);
    EXPECT_NE(problem_of(changed(SIZE_MAX, 8, std::string(4, '\0'))).find("no header"),
              std::string::npos);
    const size_t capacity = offsetof(TraceHeader, capacity);
    for (const char byte : {'\x41', '\xff'}) { // no power of two; more than there may be
        EXPECT_NE(problem_of(changed(SIZE_MAX, capacity, std::string(8, byte))), "");
    }
    EXPECT_EQ(problem_of(changed(SIZE_MAX)), "");
}

TEST_F(ReadTrace, TextHasATableAndASummaryOfEachBuffer) {
    const std::string text = trace_as_text(in_folder.contents(), SIZE_MAX);
    for (const char* part :
         {"4 records", "device 0: a GPU?[2J\n", " attached ", " cpu-wait ", " parked ", "20.0",
          "      42         1  100.0%        1        0        20.0        20.0         1      0 "
          "        0         1        4.9\n",
          "      43         1    0.0%        1        1 "}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
    const std::string last = trace_as_text(in_folder.contents(), 1);
    EXPECT_EQ(last.find(" attached "), std::string::npos) << last;
    EXPECT_NE(last.find("100.0%"), std::string::npos) << "the summary is of all: " << last;
}

TEST_F(ReadTrace, JsonShowsTheGapOnTheTrackOfItsQueue) {
    const nlohmann::json json = trace_as_json(in_folder.contents(), SIZE_MAX);
    std::vector<nlohmann::json> hand_offs;
    std::vector<nlohmann::json> parked;
    for (const nlohmann::json& event : json.at("traceEvents")) {
        if (event.value("cat", "") == "hand-off") {
            hand_offs.push_back(event);
        } else if (event.value("cat", "") == "parked") {
            parked.push_back(event);
        }
    }
    ASSERT_EQ(hand_offs.size(), 4U);
    EXPECT_EQ(hand_offs[0].at("ph"), "X");
    EXPECT_DOUBLE_EQ(hand_offs[0].at("ts"), 1050.0) << "where the submit has returned";
    EXPECT_DOUBLE_EQ(hand_offs[0].at("dur"), 20.0);
    EXPECT_EQ(hand_offs[0].at("args").at("outcome"), "attached");
    EXPECT_EQ(hand_offs[0].at("args").at("source"), "fence");
    EXPECT_EQ(hand_offs[0].at("args").at("guarded"), true);
    EXPECT_DOUBLE_EQ(hand_offs[1].at("ts"), 2000.0);
    EXPECT_DOUBLE_EQ(hand_offs[1].at("dur"), 5000.0);
    EXPECT_EQ(hand_offs[0].at("tid"), hand_offs[1].at("tid"));
    EXPECT_NE(hand_offs[0].at("tid"), hand_offs[2].at("tid")) << "another queue";
    ASSERT_EQ(parked.size(), 2U);
    EXPECT_EQ(parked[0].at("ph"), "b");
    EXPECT_EQ(parked[1].at("ph"), "e");
    EXPECT_EQ(parked[0].at("id"), parked[1].at("id"));
    EXPECT_EQ(json.at("otherData").at("begun"), 4);
    EXPECT_EQ(trace_as_json(in_folder.contents(), 1).at("traceEvents").size(), 3U);
}

/// No content makes a reader go wrong: the sanitized runs look.
TEST_F(ReadTrace, AnyBytesAreReadOrRefused) {
    std::minstd_rand random(20261123);
    for (int round = 0; round < 300; ++round) {
        const bool in_ring = round % 2 == 0;
        std::string bytes(1 + random() % 64, '\0');
        for (char& byte : bytes) {
            byte = static_cast<char>(random());
        }
        // Behind the sequence of one of the first records, or somewhere in the header's first
        // lines.
        const size_t offset =
            in_ring ? trace_header_size + 64 * (random() % 4) + 8 : random() % 192;
        bytes.resize(std::min(bytes.size(), in_ring ? size_t{56} : bytes.size()));
        const std::string path = changed(SIZE_MAX, offset, bytes);
        try {
            const TraceContents contents = read_trace(path);
            EXPECT_FALSE(trace_as_text(contents, SIZE_MAX).empty());
            EXPECT_FALSE(trace_as_json(contents, SIZE_MAX)
                             .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)
                             .empty());
        } catch (const std::runtime_error& refused) {
            EXPECT_FALSE(std::string(refused.what()).empty());
        }
    }
}

} // namespace fencebridge::test
