// The log: one write() a line, by level, never longer than a line may be.
#include "report/log.hpp"
#include "support/fd.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {

namespace {

/// Stands in for stderr while it lives. A packet is what one write() wrote.
class CapturedStderr {
public:
    CapturedStderr() : previous_(::dup(STDERR_FILENO)) {
        std::array<int, 2> pair{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
        reading_ = Fd(pair[0]);
        const Fd writing(pair[1]);
        ::dup2(writing.get(), STDERR_FILENO);
    }
    ~CapturedStderr() { ::dup2(previous_.get(), STDERR_FILENO); }
    CapturedStderr(const CapturedStderr&) = delete;
    CapturedStderr& operator=(const CapturedStderr&) = delete;

    std::vector<std::string> writes() const {
        std::vector<std::string> packets;
        std::array<char, 8192> packet{};
        for (;;) {
            const ssize_t got = ::recv(reading_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
            if (got <= 0) {
                return packets;
            }
            packets.emplace_back(packet.data(), static_cast<size_t>(got));
        }
    }

private:
    Fd previous_;
    Fd reading_;
};

} // namespace

class Log : public testing::Test {
protected:
    void TearDown() override { set_log_level(LogLevel::Info); }
};

TEST_F(Log, WritesALineInOneWrite) {
    const CapturedStderr captured;
    log(LogLevel::Warn, "%s is %d", "answer", 42);
    EXPECT_EQ(captured.writes(), std::vector<std::string>{"fencebridge: warning: answer is 42\n"});
}

TEST_F(Log, LevelSaysWhatIsWritten) {
    const std::array levels{LogLevel::Off, LogLevel::Error, LogLevel::Warn, LogLevel::Info,
                            LogLevel::Debug};
    for (size_t limit = 0; limit < levels.size(); ++limit) {
        set_log_level(levels.at(limit));
        const CapturedStderr captured;
        for (size_t level = 1; level < levels.size(); ++level) {
            log(levels.at(level), "x");
            EXPECT_EQ(logs(levels.at(level)), level <= limit);
        }
        EXPECT_EQ(captured.writes().size(), limit);
    }
}

TEST_F(Log, LongLinesAreCutAndStillEnd) {
    const CapturedStderr captured;
    log(LogLevel::Error, "%s", std::string(5000, 'x').c_str());
    const auto writes = captured.writes();
    ASSERT_EQ(writes.size(), 1U);
    EXPECT_LE(writes[0].size(), 1024U);
    EXPECT_GT(writes[0].size(), 900U);
    EXPECT_EQ(writes[0].find('\n'), writes[0].size() - 1);
    EXPECT_EQ(writes[0].find('\0'), std::string::npos);
}

TEST_F(Log, LeavesErrnoAlone) {
    const CapturedStderr captured;
    errno = ENOTTY;
    log(LogLevel::Error, "x");
    EXPECT_EQ(errno, ENOTTY);
}

TEST_F(Log, ClosedStderrIsNoError) {
    const Fd previous(::dup(STDERR_FILENO));
    ::close(STDERR_FILENO);
    errno = 0;
    log(LogLevel::Error, "x");
    const int after = errno;
    ::dup2(previous.get(), STDERR_FILENO);
    EXPECT_EQ(after, 0);
}

TEST_F(Log, LinesOfThreadsDoNotMix) {
    const CapturedStderr captured;
    std::vector<std::thread> threads;
    constexpr int lines = 20;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([t] {
            for (int i = 0; i < lines; ++i) {
                log(LogLevel::Error, "%s", std::string(50, static_cast<char>('a' + t)).c_str());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const auto writes = captured.writes();
    EXPECT_EQ(writes.size(), 4U * lines);
    const std::string prefix = "fencebridge: error: ";
    for (const std::string& line : writes) {
        ASSERT_EQ(line.size(), prefix.size() + 51);
        EXPECT_EQ(line.find_first_not_of(line[prefix.size()], prefix.size()), line.size() - 1);
    }
}

TEST(Once, IsTrueForOneCallerOnly) {
    Once once;
    std::atomic<int> firsts = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] { firsts += once.first() ? 1 : 0; });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(firsts, 1);
    EXPECT_FALSE(once.first());
}

} // namespace fencebridge::test
