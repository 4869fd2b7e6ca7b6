#include "report/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace fencebridge {

namespace {

std::atomic<LogLevel> current_level = LogLevel::Info;

const char* label(LogLevel level) {
    switch (level) {
    case LogLevel::Error:
        return "error";
    case LogLevel::Warn:
        return "warning";
    case LogLevel::Debug:
        return "debug";
    case LogLevel::Info:
    case LogLevel::Off:
        break;
    }
    return "info";
}

} // namespace

void set_log_level(LogLevel level) {
    current_level.store(level, std::memory_order_relaxed);
}

bool logs(LogLevel level) {
    return level <= current_level.load(std::memory_order_relaxed);
}

void log(LogLevel level, const char* format, ...) {
    if (!logs(level)) {
        return;
    }
    // The caller may be about to look at errno.
    const int saved_errno = errno;
    std::array<char, 1024> line{};
    const size_t room = line.size() - 1;
    size_t used = 0;
    const int prefix = std::snprintf(line.data(), room, "fencebridge: %s: ", label(level));
    used += static_cast<size_t>(std::max(prefix, 0));
    va_list arguments;
    va_start(arguments, format);
    const int body = std::vsnprintf(line.data() + used, room - used, format, arguments);
    va_end(arguments);
    used = std::min(used + static_cast<size_t>(std::max(body, 0)), room - 1);
    line[used++] = '\n';
    // One write() a line: lines of several threads and processes do not mix.
    const ssize_t written = ::write(STDERR_FILENO, line.data(), used);
    (void)written;
    errno = saved_errno;
}

const char* error_text(int error) {
    return std::strerror(error); // NOLINT(concurrency-mt-unsafe)
}

} // namespace fencebridge
