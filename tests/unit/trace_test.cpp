// The trace as it is written: a ring that many threads share, in a file that is nobody else's.
#include "report/log.hpp"
#include "support/fd.hpp"
#include "support/stderr_copy.hpp"
#include "unit/allocation_counter.hpp"
#include "unit/traced.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace fencebridge::test {

namespace {

namespace fs = std::filesystem;

TraceRecord numbered(uint64_t number) {
    return {.time_ns = number, .inode = number, .span_ns = 3 * number, .gap_ns = ~number};
}

/// Whether it is what numbered() made, and not a mixture of two.
bool is_whole(const TraceRecord& record) {
    const TraceRecord expected = numbered(record.inode);
    return record.time_ns == expected.time_ns && record.span_ns == expected.span_ns &&
           record.gap_ns == expected.gap_ns;
}

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Puts a slot's sequence in its place, past the layer.
void set_sequence(const std::string& path, uint64_t slot, uint64_t sequence) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const auto offset = static_cast<off_t>(trace_header_size + slot * sizeof(TraceRecord));
    EXPECT_EQ(::pwrite(file.get(), &sequence, sizeof(sequence), offset), 8);
}

/// What a child of this process finds; it says so by its exit status.
template<typename Body>
bool child_finds(Body&& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(body() ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status == 0;
}

} // namespace

TEST(Trace, RecordComesBackAsItWasWritten) {
    TraceInFolder in_folder;
    ASSERT_EQ(in_folder.trace->add_device("a GPU"), 0);
    EXPECT_EQ(in_folder.trace->add_queue(0), 0);
    EXPECT_EQ(in_folder.trace->add_queue(0), 1);
    const TraceRecord written{
        .time_ns = 1,
        .inode = 2,
        .span_ns = 3,
        .gap_ns = 4,
        .source_ns = 5,
        .ioctl_ns = 6,
        .parked_id = 7,
        .device = 0,
        .queue = 1,
        .what = trace_what(TraceDirection::Release, TraceAccess::Write, true),
        .origin = TraceOrigin::Touch,
        .outcome = TraceOutcome::Parked,
        .source = TraceSource::Proxy,
    };
    in_folder.trace->write(written);
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.process, static_cast<uint32_t>(::getpid()));
    EXPECT_EQ(contents.devices, std::vector<std::string>{"a GPU"});
    EXPECT_EQ(contents.begun, 1U);
    EXPECT_EQ(contents.overwritten + contents.torn + contents.dropped, 0U);
    ASSERT_EQ(contents.records.size(), 1U);
    TraceRecord expected = written;
    expected.sequence = trace_published(0);
    expected.thread = static_cast<uint32_t>(::gettid());
    EXPECT_EQ(std::bit_cast<TraceWords>(contents.records[0]), std::bit_cast<TraceWords>(expected));
}

TEST(Trace, RingKeepsTheNewest) {
    const TraceInFolder in_folder(64);
    for (uint64_t i = 0; i < 100; ++i) {
        in_folder.trace->write(numbered(i));
    }
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.begun, 100U);
    EXPECT_EQ(contents.overwritten, 36U);
    EXPECT_EQ(contents.torn, 0U);
    ASSERT_EQ(contents.records.size(), 64U);
    for (size_t i = 0; i < contents.records.size(); ++i) {
        EXPECT_EQ(contents.records[i].inode, i + 36);
    }
}

TEST(Trace, TornRecordsAreLeftOutAndCounted) {
    const TraceInFolder in_folder;
    for (uint64_t i = 0; i < 4; ++i) {
        in_folder.trace->write(numbered(i));
    }
    set_sequence(in_folder.path(), 1, trace_writing(1));
    set_sequence(in_folder.path(), 3, 0);
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.torn, 2U);
    ASSERT_EQ(contents.records.size(), 2U);
    EXPECT_EQ(contents.records[0].inode, 0U);
    EXPECT_EQ(contents.records[1].inode, 2U);
}

TEST(Trace, WriterAWholeRingBehindIsNotWrittenOver) {
    const TraceInFolder in_folder(64);
    in_folder.trace->write(numbered(0));
    set_sequence(in_folder.path(), 0, trace_writing(0)); // it sleeps in its slot
    for (uint64_t i = 1; i < 66; ++i) {
        in_folder.trace->write(numbered(i));
    }
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.dropped, 1U);
    EXPECT_EQ(contents.torn, 1U);
    EXPECT_EQ(contents.records.size(), 63U);
    EXPECT_EQ(contents.records.back().inode, 65U);
}

TEST(Trace, ThreadsLoseNothing) {
    constexpr uint64_t each = 1000;
    const TraceInFolder in_folder(4096);
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (uint64_t i = 0; i < each; ++i) {
                in_folder.trace->write(numbered(t * each + i));
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.torn + contents.dropped + contents.overwritten, 0U);
    std::set<uint64_t> seen;
    std::set<uint32_t> ids;
    for (const TraceRecord& record : contents.records) {
        EXPECT_TRUE(is_whole(record));
        seen.insert(record.inode);
        ids.insert(record.thread);
    }
    EXPECT_EQ(seen.size(), 4 * each);
    EXPECT_EQ(ids.size(), 4U);
}

TEST(Trace, ReaderOfALiveRingSeesWholeRecordsOnly) {
    const TraceInFolder in_folder(64); // overwritten as fast as it can be
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            for (uint64_t i = 0; !stop; ++i) {
                in_folder.trace->write(numbered(4 * i + t));
            }
        });
    }
    uint64_t mixed = 0;
    uint64_t begun = 0;
    for (int round = 0; round < 200 || begun < 100'000; ++round) {
        const TraceContents contents = in_folder.contents();
        begun = contents.begun;
        EXPECT_EQ(contents.begun, contents.overwritten + contents.torn + contents.records.size());
        mixed += static_cast<uint64_t>(
            std::count_if(contents.records.begin(), contents.records.end(),
                          [](const TraceRecord& record) { return !is_whole(record); }));
    }
    stop = true;
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(mixed, 0U);
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.torn + contents.records.size(), 64U);
    EXPECT_GE(contents.dropped, contents.torn);
}

TEST(Trace, KilledProcessLosesNothing) {
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "trace").string();
    EXPECT_FALSE(child_finds([&] {
        std::string problem;
        const auto trace = Trace::make(path, problem, 64);
        for (uint64_t i = 0; i < 10; ++i) {
            trace->write(numbered(i));
        }
        (void)::raise(SIGKILL);
        return true;
    }));
    const TraceContents contents = read_trace(path);
    EXPECT_EQ(contents.records.size(), 10U);
    EXPECT_EQ(contents.torn, 0U);
}

TEST(Trace, ChildOfAForkWritesNothingInItsParentsName) {
    const TraceInFolder in_folder;
    in_folder.trace->write(numbered(1));
    EXPECT_TRUE(child_finds([&] {
        in_folder.trace->write(numbered(2));
        (void)in_folder.trace->add_device("the child's");
        return !in_folder.trace->is_of_this_process();
    }));
    in_folder.trace->write(numbered(3));
    const TraceContents contents = in_folder.contents();
    EXPECT_EQ(contents.begun, 2U);
    EXPECT_TRUE(contents.devices.empty());
}

TEST(Trace, ChildOfAForkHasOneOfItsOwn) {
    const TemporaryFolder folder;
    const std::string setting = (folder.path() / "trace-%p").string();
    const std::string fixed = (folder.path() / "trace").string();
    set_log_level(LogLevel::Off);
    Trace* const parents = trace_for(setting);
    ASSERT_NE(parents, nullptr);
    ASSERT_NE(trace_for(fixed), nullptr);
    parents->write(numbered(1));
    EXPECT_TRUE(child_finds([&] {
        Trace* const own = trace_for(setting);
        if (own == nullptr || own == parents || trace_for(fixed) != nullptr) {
            return false;
        }
        own->write(numbered(2));
        const TraceContents contents = read_trace(own->file().path());
        return contents.records.size() == 1 && contents.records[0].inode == 2 &&
               contents.records[0].thread == static_cast<uint32_t>(::getpid());
    }));
    set_log_level(LogLevel::Info);
    EXPECT_EQ(read_trace(parents->file().path()).begun, 1U);
}

TEST(Trace, OneFileIsOneTrace) {
    const TemporaryFolder folder;
    set_log_level(LogLevel::Off);
    Trace* const first = trace_for((folder.path() / "%p-%p").string());
    ASSERT_NE(first, nullptr);
    const std::string process = std::to_string(::getpid());
    const std::string name = process + "-" + process;
    EXPECT_EQ(first->file().path(), (folder.path() / name).string());
    EXPECT_EQ(trace_for((folder.path() / "." / name).string()), first)
        << "the same by another name";
    EXPECT_NE(trace_for((folder.path() / "other").string()), first);
    set_log_level(LogLevel::Info);
}

TEST(Trace, SteadyStateAllocatesNothing) {
    const TraceInFolder in_folder;
    in_folder.trace->write(numbered(0));
    const size_t before = allocation_count();
    for (uint64_t i = 0; i < 100; ++i) {
        in_folder.trace->write(numbered(Trace::now()));
    }
    EXPECT_EQ(allocation_count(), before);
}

/// What is refused, and why.
class TracePath : public testing::Test {
protected:
    static std::string problem_of(const fs::path& file) {
        std::string problem;
        EXPECT_FALSE(Trace::make(file.string(), problem));
        return problem;
    }
    static std::string make(const fs::path& file) {
        std::string problem;
        (void)Trace::make(file.string(), problem, 64);
        return problem;
    }

    TemporaryFolder folder;
    const fs::path path = folder.path() / "trace";
};

TEST_F(TracePath, FileIsTheUsersAlone) {
    EXPECT_EQ(make(path), "");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
    EXPECT_EQ(static_cast<size_t>(status.st_size), trace_file_size(64));
    EXPECT_GE(static_cast<size_t>(status.st_blocks) * 512, trace_file_size(64))
        << "what is not there may be refused later, by SIGBUS";
}

TEST_F(TracePath, WhatIsOursOrEmptyBeginsAnew) {
    folder.write("trace", "");
    EXPECT_EQ(make(path), "");
    {
        std::string problem;
        const auto trace = Trace::make(path.string(), problem, 128);
        ASSERT_TRUE(trace) << problem;
        trace->write(numbered(1));
    }
    EXPECT_EQ(make(path), "");
    EXPECT_EQ(read_trace(path.string()).begun, 0U);
    EXPECT_EQ(fs::file_size(path), trace_file_size(64));
}

TEST_F(TracePath, WhatIsNotOursIsLeftAlone) {
    for (const std::string& text : {std::string("x"), std::string(100'000, 'x')}) {
        folder.write("trace", text);
        EXPECT_NE(problem_of(path).find("left alone"), std::string::npos);
        EXPECT_EQ(content_of(path), text);
    }
}

TEST_F(TracePath, LinksPipesAndFoldersAreRefused) {
    folder.write("target", "");
    fs::create_symlink("target", folder.path() / "link");
    EXPECT_NE(problem_of(folder.path() / "link").find("symbolic link"), std::string::npos);
    EXPECT_EQ(fs::file_size(folder.path() / "target"), 0U);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_NE(problem_of(path).find("regular"), std::string::npos);
    EXPECT_NE(problem_of(folder.path()), "");
    EXPECT_NE(problem_of(folder.path() / "none" / "trace"), "");
}

TEST_F(TracePath, AnothersFileIsRefused) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "not root: no file can be given to somebody else";
    }
    folder.write("trace", "");
    ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
    EXPECT_NE(problem_of(path).find("somebody else"), std::string::npos);
    EXPECT_EQ(fs::file_size(path), 0U);
}

TEST_F(TracePath, WhatIsBeingWrittenIsRefused) {
    std::string problem;
    const auto trace = Trace::make(path.string(), problem, 64);
    ASSERT_TRUE(trace);
    trace->write(numbered(1));
    EXPECT_NE(problem_of(path).find("%p"), std::string::npos);
    EXPECT_EQ(read_trace(path.string()).begun, 1U);
}

TEST_F(TracePath, WithoutRoomThereIsNoTraceAndNoSignal) {
    EXPECT_EQ(make(path), "");
    const std::string old = content_of(path);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{.rlim_cur = 100'000, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string on_old = problem_of(path);
    const std::string on_new = problem_of(folder.path() / "new");
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_NE(on_old.find("no room"), std::string::npos) << on_old;
    EXPECT_NE(on_new.find("no room"), std::string::npos) << on_new;
    EXPECT_EQ(content_of(path), old) << "an old trace is lost to a new one only";
    EXPECT_FALSE(fs::exists(folder.path() / "new"));
}

TEST_F(TracePath, EachSettingIsWarnedOfOnce) {
    StderrCopy copy;
    const std::string setting = (folder.path() / "none" / "trace").string();
    EXPECT_EQ(trace_for(setting), nullptr);
    EXPECT_EQ(trace_for(setting), nullptr);
    const std::string log = copy.finish();
    const size_t first = log.find("no trace in " + setting);
    EXPECT_NE(first, std::string::npos) << log;
    EXPECT_EQ(log.find("no trace in", first + 1), std::string::npos) << log;
}

} // namespace fencebridge::test
