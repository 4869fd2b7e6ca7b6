#include "support/results.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace fencebridge::test {

namespace {

/// Opened once; -1 where no results are wanted. A file that cannot be opened ends the program:
/// results that nobody can read would pass for a run without failures.
int results_file() {
    static const int file = [] {
        const char* const path =
            std::getenv("FENCEBRIDGE_RESULTS"); // NOLINT(concurrency-mt-unsafe)
        if (path == nullptr || *path == '\0') {
            return -1;
        }
        const int opened = ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (opened < 0) {
            std::fprintf(stderr, "FENCEBRIDGE_RESULTS: %s: %s\n", path, std::strerror(errno));
            std::_Exit(1);
        }
        return opened;
    }();
    return file;
}

/// One write() a line: a program that is killed leaves whole lines behind.
void append(const nlohmann::json& event) {
    if (results_file() < 0) {
        return;
    }
    // Notes may hold bytes of any kind.
    const std::string line =
        event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (::write(results_file(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        std::fprintf(stderr, "FENCEBRIDGE_RESULTS: %s\n", std::strerror(errno));
        std::_Exit(1);
    }
}

const char* word(Status status) {
    switch (status) {
    case Status::Pass:
        return "pass";
    case Status::Skip:
        return "skip";
    case Status::Fail:
        break;
    }
    return "fail";
}

} // namespace

void record_start(std::string_view name) {
    append({{"event", "start"}, {"name", name}});
}

void record_end(std::string_view name, Status status, std::string_view note) {
    append({{"event", "end"}, {"name", name}, {"status", word(status)}, {"note", note}});
}

void record_value(std::string_view name, double value, std::string_view unit, std::string_view bar,
                  bool ok, std::string_view note) {
    append({
        {"event", "value"},
        {"name", name},
        {"value", value},
        {"unit", unit},
        {"bar", bar.empty() ? nlohmann::json() : nlohmann::json(bar)},
        {"status", word(ok ? Status::Pass : Status::Fail)},
        {"note", note},
    });
}

} // namespace fencebridge::test
