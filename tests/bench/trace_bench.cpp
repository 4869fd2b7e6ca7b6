// What a trace adds to a hand-off: the calls that a release with a fence makes, on a device with a
// trace and on one without, from one thread and from four. All in one run, in turn, so that the
// machine's noise meets them alike; the least of many rounds is what the code itself takes.
#include "handoff/hand_off_trace.hpp"
#include "support/results.hpp"
#include "support/temporary_folder.hpp"

#include <algorithm>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace {

using namespace fencebridge;
using namespace fencebridge::test;

constexpr int rounds = 30;
constexpr int hand_offs = 20'000;
constexpr double bar_ns = 300;

/// One submit that releases one buffer, as far as the trace sees it.
void release_once(HandOffTrace& trace, const HandOff& hand_off, const DmaBuf* buffer) {
    trace.begin();
    trace.submitted();
    trace.took(SourceKind::Semaphore, trace.now());
    trace.released(hand_off, buffer, TraceOutcome::Attached);
    // What comes next is not known here: the loop must not be folded into one.
    asm volatile("" ::: "memory");
}

/// Of this thread: where there are more than processors, others' turns are not in it.
double processor_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Nanoseconds a hand-off, in each of so many threads with a queue of its own.
double round_of(const Device& device, size_t thread_count) {
    const UniqueFd file(::memfd_create("buffer", MFD_CLOEXEC));
    const auto buffer = DmaBuf::of(file.get());
    std::barrier start(static_cast<std::ptrdiff_t>(thread_count));
    std::vector<double> took(thread_count);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < thread_count; ++t) {
        threads.emplace_back([&, t] {
            HandOffTrace trace(device);
            const HandOff hand_off{nullptr, Direction::Release, Access::Write};
            release_once(trace, hand_off, buffer.get());
            start.arrive_and_wait();
            const double before = processor_ns();
            for (int i = 0; i < hand_offs; ++i) {
                release_once(trace, hand_off, buffer.get());
            }
            took[t] = (processor_ns() - before) / hand_offs;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    return *std::max_element(took.begin(), took.end());
}

} // namespace

int main() {
    const TemporaryFolder folder;
    std::string problem;
    const std::unique_ptr<Trace> trace = Trace::make((folder.path() / "trace").string(), problem);
    if (!trace) {
        std::fprintf(stderr, "no trace: %s\n", problem.c_str());
        return EXIT_FAILURE;
    }
    const Device off;
    Device on;
    on.trace = trace.get();
    on.trace_device = trace->add_device("bench");

    double added = 0;
    for (const size_t threads : {size_t{1}, size_t{4}}) {
        double least_off = std::numeric_limits<double>::max();
        double least_on = std::numeric_limits<double>::max();
        for (int round = 0; round < rounds; ++round) {
            least_off = std::min(least_off, round_of(off, threads));
            least_on = std::min(least_on, round_of(on, threads));
        }
        std::printf("%zu thread(s): %7.1f ns a hand-off without a trace, %7.1f ns with one\n",
                    threads, least_off, least_on);
        const std::string name = "trace/threads_" + std::to_string(threads);
        record_value(name + "/off_ns", least_off, "ns", "", true);
        record_value(name + "/on_ns", least_on, "ns", "", true);
        added = std::max(added, least_on - least_off);
    }
    std::printf("added by the trace: %.1f ns a hand-off\n", added);
    record_value("trace/added_ns", added, "ns", "<= 300", added <= bar_ns,
                 "processor time; the dearer of one thread and four");
    return EXIT_SUCCESS;
}
