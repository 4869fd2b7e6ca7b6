// What a compositor does with a client's dma-buf: poll it for POLLIN, then read it. Knows nothing
// of Vulkan.
//
//   fencebridge-consumer SOCKET PICTURE  : prints one JSON line, leaves the most telling
//   frame's pixels in PICTURE
#include "apps/channel.hpp"
#include "apps/frames.hpp"
#include "support/median.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <poll.h>
#include <span>
#include <sys/mman.h>
#include <vector>

namespace {

using namespace fencebridge::test;

constexpr int longest_wait_ms = 30'000;

using Picture = std::vector<uint32_t>;

bool is_readable(int dma_buf, int timeout_ms) {
    pollfd wanted{.fd = dma_buf, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, timeout_ms) == 1 && (wanted.revents & POLLIN) != 0;
}

/// A mapped frame buffer.
struct Mapped {
    const std::byte* rows = nullptr;
    uint32_t pitch = 0;

    Picture read() const {
        Picture picture(size_t{frame_width} * frame_height);
        for (uint32_t y = 0; y < frame_height; ++y) {
            std::memcpy(&picture[size_t{y} * frame_width], rows + size_t{y} * pitch,
                        frame_width * sizeof(uint32_t));
        }
        return picture;
    }
};

/// How many bands are not what the frame should show.
uint32_t wrong_bands(const Picture& picture, uint32_t frame) {
    uint32_t wrong = 0;
    for (uint32_t band = 0; band < band_count; ++band) {
        const uint32_t colour = band_colour(frame, band);
        const std::span rows(&picture[size_t{band} * band_height * frame_width],
                             size_t{band_height} * frame_width);
        for (const uint32_t pixel : rows) {
            if (pixel != colour) {
                ++wrong;
                break;
            }
        }
    }
    return wrong;
}

/// How much a frame tells as a picture. A torn one, part new and part old, tells most; one that is
/// old altogether looks right to who does not know the time. The first frames of each buffer have
/// no old picture under them, and tell nothing.
uint32_t tells(uint32_t frame_number, uint32_t wrong) {
    if (frame_number <= 2 * slot_count) {
        return 0;
    }
    return wrong == band_count ? 1 : wrong + (wrong != 0 ? 1 : 0);
}

double since_ms(int64_t start_ns) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now - std::chrono::nanoseconds(start_ns))
        .count();
}

int consume(int socket, const char* picture_path) {
    Setup setup{};
    std::vector<int> fds;
    if (!receive(socket, setup, &fds) || fds.size() != slot_count) {
        std::fprintf(stderr, "the producer sent no buffers\n");
        return EXIT_FAILURE;
    }
    std::vector<Mapped> slots;
    const size_t size = setup.offset + size_t{setup.pitch} * frame_height;
    for (const int fd : fds) {
        void* const mapping = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
        if (mapping == MAP_FAILED) {
            std::perror("mmap of a dma-buf");
            return EXIT_FAILURE;
        }
        slots.push_back({static_cast<const std::byte*>(mapping) + setup.offset, setup.pitch});
    }

    uint32_t frames = 0;
    uint32_t stale = 0;
    uint32_t pending = 0;
    uint32_t timeouts = 0;
    uint32_t most_telling = 0;
    Picture shown;
    std::vector<uint8_t> strip;
    std::vector<double> latency_ms;
    FrameReady ready{};
    while (receive(socket, ready)) {
        const int fd = fds[ready.slot];
        ++frames;
        if (!is_readable(fd, 0)) {
            ++pending;
            if (!is_readable(fd, longest_wait_ms)) {
                ++timeouts;
            }
        }
        latency_ms.push_back(since_ms(ready.submitting_ns));
        Picture picture = slots[ready.slot].read();
        const uint32_t wrong = wrong_bands(picture, ready.frame);
        stale += wrong != 0 ? 1 : 0;
        strip.push_back(static_cast<uint8_t>(wrong));
        if (const uint32_t told = tells(frames, wrong); shown.empty() || told > most_telling) {
            most_telling = told;
            shown = std::move(picture);
        }
        if (!send(socket, SlotFree{ready.slot})) {
            break;
        }
    }
    std::ofstream(picture_path, std::ios::binary)
        .write(reinterpret_cast<const char*>(shown.data()),
               static_cast<std::streamsize>(shown.size() * sizeof(uint32_t)));
    const nlohmann::json result = {
        {"frames", frames},     {"stale", stale}, {"pending", pending},
        {"timeouts", timeouts}, {"strip", strip}, {"latency_ms", median(latency_ms)},
    };
    std::cout << result << '\n';
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: fencebridge-consumer SOCKET PICTURE\n");
        return 2;
    }
    return consume(std::atoi(argv[1]), argv[2]);
}
