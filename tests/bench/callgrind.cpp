#include "bench/callgrind.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <valgrind/callgrind.h>

namespace fencebridge::test {

void count_from_here() {
    if (RUNNING_ON_VALGRIND == 0) {
        std::fprintf(stderr, "not under valgrind: there are no instruction counts\n");
        std::abort();
    }
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
}

void counted(const std::string& name) {
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
}

std::map<std::string, double> counts_in(const std::filesystem::path& folder) {
    constexpr std::string_view trigger = "desc: Trigger: Client Request: ";
    constexpr std::string_view summary = "summary: ";
    constexpr std::string_view totals = "totals: ";
    std::map<std::string, double> counts;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        std::string name;
        bool is_first_thread = false;
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            if (line == "thread: 1") {
                is_first_thread = true;
            } else if (line.starts_with(trigger)) {
                name = line.substr(trigger.size());
            } else if (is_first_thread && !name.empty() &&
                       (line.starts_with(summary) || line.starts_with(totals))) {
                const double count = std::stod(line.substr(line.find(' ')));
                const auto [known, is_new] = counts.try_emplace(name, count);
                known->second = std::min(known->second, count);
                break;
            }
        }
    }
    return counts;
}

} // namespace fencebridge::test
