// Who looks at a captured picture: maps the dma-buf once, and then polls it and reads it at a rate
// of its own, whatever the capturing process does. Knows nothing of Vulkan.
//
//   fencebridge-capture-reader SOCKET  : prints one JSON line when the capturing process has gone
#include "apps/channel.hpp"
#include "capture/protocol.hpp"
#include "support/readiness.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <poll.h>
#include <span>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds interval{1};
constexpr int longest_wait_ms = 30'000;

struct Seen {
    uint32_t polls = 0;
    uint32_t pending_polls = 0;  ///< that found a fence
    uint32_t pending_frames = 0; ///< that were the newest when a poll found a fence
    uint32_t timeouts = 0;       ///< fences that did not signal in 30 s
    uint32_t reads = 0;
    uint32_t torn = 0; ///< reads of more than one frame
    /// Of the torn ones: no longer ready after the read.
    uint32_t torn_then_pending = 0;
    /// Reads that no submit overlapped, from before the poll to after the read: nobody has begun to
    /// write since the fences were looked at. And what was wrong with those.
    uint32_t undisturbed = 0;
    uint32_t undisturbed_torn = 0;
    uint32_t undisturbed_old = 0; ///< whole, but not the frame of the last submit
    uint32_t submits = 0;
    std::vector<double> intervals_ms; ///< from poll to poll, of those that did not wait between
};

double median(std::vector<double> values) {
    if (values.empty()) {
        return 0;
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

class Reader {
public:
    Reader(const Exported& exported, int dma_buf, int counters)
        : dma_buf_(dma_buf), pitch_(exported.pitch),
          rows_(static_cast<const std::byte*>(
                    map(dma_buf, exported.offset + size_t{exported.pitch} * capture_height)) +
                exported.offset),
          submits_(static_cast<const Submits*>(map(counters, sizeof(Submits)))),
          picture_(size_t{capture_width} * capture_height) {}

    /// Polls, waits for the writers if there are any, reads, and judges what it has read.
    void look() {
        const uint32_t before = wait_for_writers();
        read();
        const bool is_still_ready = is_ready(dma_buf_, POLLIN);
        const bool is_undisturbed = submits_->begun == before;
        if (before == 0) {
            return; // nothing was ever drawn
        }
        const bool is_torn = std::ranges::any_of(
            picture_, [&](uint32_t pixel) { return pixel != picture_.front(); });
        const bool is_old = !is_torn && frame_of_pixel(picture_.front()) != before - 1;
        ++seen_.reads;
        seen_.torn += is_torn ? 1 : 0;
        seen_.torn_then_pending += is_torn && !is_still_ready ? 1 : 0;
        seen_.undisturbed += is_undisturbed ? 1 : 0;
        seen_.undisturbed_torn += is_undisturbed && is_torn ? 1 : 0;
        seen_.undisturbed_old += is_undisturbed && is_old ? 1 : 0;
    }

    Seen result() const {
        Seen seen = seen_;
        seen.submits = submits_->returned;
        return seen;
    }

private:
    static void* map(int fd, size_t size) {
        void* const mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
        if (mapping == MAP_FAILED) {
            std::perror("mmap");
            std::exit(EXIT_FAILURE);
        }
        return mapping;
    }

    /// How many submits had returned, their fences on the dma-buf where there are any, before the
    /// poll that found it ready.
    uint32_t wait_for_writers() {
        for (;;) {
            const uint32_t returned = submits_->returned;
            const Clock::time_point now = Clock::now();
            ++seen_.polls;
            if (last_poll_ != Clock::time_point()) {
                seen_.intervals_ms.push_back(
                    std::chrono::duration<double, std::milli>(now - last_poll_).count());
            }
            last_poll_ = now;
            if (is_ready(dma_buf_, POLLIN)) {
                return returned;
            }
            ++seen_.pending_polls;
            // The one in progress, if there is one, has just attached its fence.
            if (const uint32_t begun = submits_->begun; begun != last_pending_) {
                last_pending_ = begun;
                ++seen_.pending_frames;
            }
            if (!becomes_ready(dma_buf_, POLLIN, longest_wait_ms)) {
                ++seen_.timeouts;
                return returned;
            }
            last_poll_ = {};
        }
    }

    void read() {
        for (uint32_t y = 0; y < capture_height; ++y) {
            std::memcpy(&picture_[size_t{y} * capture_width], rows_ + size_t{y} * pitch_,
                        capture_width * sizeof(uint32_t));
        }
    }

    int dma_buf_;
    uint32_t pitch_;
    const std::byte* rows_;
    const Submits* submits_;
    std::vector<uint32_t> picture_;
    Clock::time_point last_poll_;
    uint32_t last_pending_ = 0;
    Seen seen_;
};

int look_on(int socket) {
    Exported exported{};
    std::vector<int> fds;
    if (!receive(socket, exported, &fds) || fds.size() != 2) {
        std::fprintf(stderr, "the capture layer sent no picture\n");
        return EXIT_FAILURE;
    }
    Reader reader(exported, fds[0], fds[1]);
    auto next = Clock::now();
    while (!is_ready(socket, POLLIN | POLLHUP)) {
        reader.look();
        next = std::max(next + interval, Clock::now());
        std::this_thread::sleep_until(next);
    }
    const Seen seen = reader.result();
    const nlohmann::json result = {
        {"submits", seen.submits},
        {"polls", seen.polls},
        {"pending_polls", seen.pending_polls},
        {"pending_frames", seen.pending_frames},
        {"timeouts", seen.timeouts},
        {"reads", seen.reads},
        {"torn", seen.torn},
        {"torn_then_pending", seen.torn_then_pending},
        {"undisturbed", seen.undisturbed},
        {"undisturbed_torn", seen.undisturbed_torn},
        {"undisturbed_old", seen.undisturbed_old},
        {"interval_ms", median(seen.intervals_ms)},
    };
    std::cout << result << '\n';
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: fencebridge-capture-reader SOCKET\n");
        return 2;
    }
    return look_on(std::atoi(argv[1]));
}
