// Differences between a model and what was seen: counted, and written so that the run can be
// repeated.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace fencebridge::test {

/// At least and at most this many.
struct Range {
    static constexpr size_t any = std::numeric_limits<size_t>::max();

    size_t least = 0;
    size_t most = 0;

    bool is_exact() const { return least == most || least > 0; }
    bool meets(const Range& other) const { return least <= other.most && other.least <= most; }
};

/// Thread-safe.
class Differences {
public:
    /// `loud`: each difference is written to stdout, up to a limit. A run that must find some is
    /// not.
    Differences(uint64_t seed, bool loud) : seed_(seed), loud_(loud) {}
    Differences(const Differences&) = delete;
    Differences& operator=(const Differences&) = delete;

    /// What the calling thread does from here on.
    static void at(size_t thread, uint64_t operation);

    /// `seen` of `what` at buffer `buffer`, where the model says `expected`.
    void expect(const Range& expected, const Range& seen, size_t buffer, const char* what);

    /// Something that must not be.
    void add(const std::string& what);

    uint64_t seed() const { return seed_; }
    uint64_t count() const { return count_; }
    uint64_t checks() const { return checks_; }
    /// Checks with one right answer. The others met a change that another thread was just making.
    uint64_t exact_checks() const { return exact_checks_; }

private:
    const uint64_t seed_;
    const bool loud_;
    std::atomic<uint64_t> count_ = 0;
    std::atomic<uint64_t> checks_ = 0;
    std::atomic<uint64_t> exact_checks_ = 0;
};

} // namespace fencebridge::test
