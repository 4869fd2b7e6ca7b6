// The log: one line a message on stderr, each one written by a single write().
#pragma once

#include <atomic>
#include <cstdint>

namespace fencebridge {

enum class LogLevel : uint8_t { Off, Error, Warn, Info, Debug };

/// The process's log level. The layer is loaded once however many instances there are, so the
/// newest instance's setting holds. Any thread.
void set_log_level(LogLevel level);
bool logs(LogLevel level);

/// printf-like; adds "fencebridge: LEVEL: " and the newline. Any thread; never throws, and a closed
/// stderr is no error. Lines over 1,000 bytes are cut.
[[gnu::format(printf, 2, 3)]] void log(LogLevel level, const char* format, ...);

/// An errno in words, for the log. Any thread: strerror() is marked unsafe for what C allows, but
/// glibc (since 2.32) and musl keep their texts per thread.
const char* error_text(int error);

/// Says a thing once a process, however often it happens: one object a message.
class Once {
public:
    /// True for the first caller only.
    bool first() { return !said_.exchange(true, std::memory_order_relaxed); }

private:
    std::atomic<bool> said_ = false;
};

} // namespace fencebridge
