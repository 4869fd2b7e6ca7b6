// What a stress run draws: random numbers that a seed brings back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fencebridge::test {

/// splitmix64 (Steele, Lea and Flood, 2014). One a thread, of the run's seed and the thread's
/// number: what a thread draws does not depend on when it runs.
class Draws {
public:
    Draws(uint64_t seed, uint64_t thread) : state_(seed + thread * 0xd1342543de82ef95U) {}

    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31U);
    }

    /// 0 to `count` - 1.
    size_t below(size_t count) { return static_cast<size_t>(next() % count); }
    bool one_in(size_t count) { return below(count) == 0; }
    bool percent(size_t chance) { return below(100) < chance; }

private:
    uint64_t state_;
};

/// The run's seed: FENCEBRIDGE_SEED, to repeat a run, or a new one.
uint64_t stress_seed();

/// How many operations: FENCEBRIDGE_STRESS_OPERATIONS, or `standard`.
uint64_t stress_operations(uint64_t standard);

} // namespace fencebridge::test
