#include "stress/stress_run.hpp"

#include "support/few_descriptors.hpp"
#include "support/results.hpp"

#include <cstdio>

namespace fencebridge::test {

void prepare_stress_run(uint64_t seed) {
    std::printf("FENCEBRIDGE_SEED=%llu\n", static_cast<unsigned long long>(seed));
    (void)std::fflush(stdout);
    allow_many_descriptors();
}

void print_run(uint64_t operations, std::chrono::duration<double> took,
               const Differences& differences, const std::string& more) {
    std::printf(
        "%llu operations in %.1f s: %llu checks, %llu of them exact, %llu differences; %s\n",
        static_cast<unsigned long long>(operations), took.count(),
        static_cast<unsigned long long>(differences.checks()),
        static_cast<unsigned long long>(differences.exact_checks()),
        static_cast<unsigned long long>(differences.count()), more.c_str());
}

void record_differences(const std::string& label, const Differences& differences,
                        uint64_t operations) {
    record_value(
        label, static_cast<double>(differences.count()), "", "== 0", differences.count() == 0,
        std::to_string(operations) + " operations, seed " + std::to_string(differences.seed()));
}

} // namespace fencebridge::test
