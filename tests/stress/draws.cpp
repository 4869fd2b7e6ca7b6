#include "stress/draws.hpp"

#include <cstdlib>
#include <random>

namespace fencebridge::test {

namespace {

/// A number in the environment; 0 where there is none.
uint64_t number_in(const char* variable) {
    const char* const text = std::getenv(variable); // NOLINT(concurrency-mt-unsafe)
    return text == nullptr ? 0 : std::strtoull(text, nullptr, 0);
}

} // namespace

uint64_t stress_seed() {
    if (const uint64_t wanted = number_in("FENCEBRIDGE_SEED"); wanted != 0) {
        return wanted;
    }
    std::random_device device;
    // Short enough to be copied by hand.
    return 1 + device() % 999'999'999U;
}

uint64_t stress_operations(uint64_t standard) {
    const uint64_t wanted = number_in("FENCEBRIDGE_STRESS_OPERATIONS");
    return wanted != 0 ? wanted : standard;
}

} // namespace fencebridge::test
