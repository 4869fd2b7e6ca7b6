// What a run of either stress test begins and ends with.
#pragma once

#include "stress/differences.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fencebridge::test {

constexpr size_t thread_count = 8;
constexpr size_t shared_buffer_count = 200;

/// Prints the seed, and makes room for descriptors: of 200 dma-bufs, mapped twice some of them, the
/// layer's own, and all that is pending.
void prepare_stress_run(uint64_t seed);

/// All threads do their share at once. Returns how long it took.
template<typename Thread>
std::chrono::duration<double> run_at_once(const std::vector<std::unique_ptr<Thread>>& threads,
                                          uint64_t operations) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> running;
    for (const auto& thread : threads) {
        running.emplace_back([&] { thread->run(operations / threads.size()); });
    }
    for (std::thread& thread : running) {
        thread.join();
    }
    Differences::at(threads.size(), 0);
    return std::chrono::steady_clock::now() - start;
}

/// Prints what was looked at, and `more`.
void print_run(uint64_t operations, std::chrono::duration<double> took,
               const Differences& differences, const std::string& more);

/// The run's one value, which must be 0.
void record_differences(const std::string& label, const Differences& differences,
                        uint64_t operations);

} // namespace fencebridge::test
