// A Vulkan application that shares its frames as dma-bufs and knows nothing of implicit sync: it
// submits its work, with ownership transfers to and from FOREIGN as the Vulkan specification asks,
// and tells its consumer at once. No fence of its work goes to the consumer from here.
//
//   fencebridge-producer SOCKET FRAMES WORK_MS CPU_MS  : prints one JSON line
//
// WORK_MS: of the GPU's for each frame; CPU_MS: of its own, before each
#include "apps/channel.hpp"
#include "apps/frames.hpp"
#include "support/median.hpp"
#include "support/vulkan_commands.hpp"

#include <nlohmann/json.hpp>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <vector>

namespace {

using namespace fencebridge::test;
using Clock = std::chrono::steady_clock;

/// One buffer of the chain with what draws into it. The fence paces re-recording, as in any
/// application with frames in flight.
struct Slot {
    explicit Slot(const VulkanContext& context)
        : target(context, {frame_width, frame_height}, SharedBuffer::Kind::Image),
          band(context, VkDeviceSize{frame_width} * band_height * 4, 0), commands(context),
          done(context) {}

    SharedBuffer target;
    Buffer band;
    CommandBuffer commands;
    Fence done;
    bool in_flight = false;
};

/// Long work, then the bands one after the other, with work between them.
void draw(Slot& slot, const LongWork& work, uint32_t frame, std::chrono::milliseconds duration) {
    CommandBuffer& commands = slot.commands;
    commands.begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT);
    commands.acquire(slot.target, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT, true);
    for (uint32_t band = 0; band < band_count; ++band) {
        if (band % 4 == 0) {
            work.record(commands, duration / 4);
        }
        vkCmdFillBuffer(commands.handle, slot.band.buffer, 0, VK_WHOLE_SIZE,
                        band_colour(frame, band));
        commands.full_barrier();
        const VkBufferImageCopy region{
            .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
            .imageOffset = {0, static_cast<int32_t>(band * band_height), 0},
            .imageExtent = {frame_width, band_height, 1},
        };
        vkCmdCopyBufferToImage(commands.handle, slot.band.buffer, slot.target.image,
                               VK_IMAGE_LAYOUT_GENERAL, 1, &region);
        commands.full_barrier();
    }
    commands.release(slot.target, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
    commands.end();
}

/// What an application computes for a frame: it keeps the CPU busy.
void compute(std::chrono::milliseconds duration) {
    const auto end = Clock::now() + duration;
    while (Clock::now() < end) {
    }
}

int produce(int socket, uint32_t frames, std::chrono::milliseconds duration,
            std::chrono::milliseconds cpu_time) {
    const VulkanContext context({});
    const LongWork work(context);
    std::array<std::unique_ptr<Slot>, slot_count> slots;
    std::array<int, slot_count> fds{};
    for (uint32_t i = 0; i < slot_count; ++i) {
        slots[i] = std::make_unique<Slot>(context);
        slots[i]->target.fill_on_cpu(0xff202020U);
        fds[i] = slots[i]->target.dma_buf;
    }
    if (!send(socket, Setup{slots[0]->target.pitch, slots[0]->target.offset}, fds)) {
        return EXIT_FAILURE;
    }

    std::vector<double> blocked_us;
    uint32_t in_use = 0;
    const auto start = Clock::now();
    for (uint32_t frame = 1; frame <= frames; ++frame) {
        Slot& slot = *slots[frame % slot_count];
        compute(cpu_time);
        if (in_use == slot_count) {
            SlotFree free{};
            if (!receive(socket, free)) {
                return EXIT_FAILURE;
            }
            --in_use;
        }
        if (slot.in_flight) {
            FB_VK(slot.done.wait());
            slot.done.reset();
        }
        draw(slot, work, frame, duration);
        const auto before = Clock::now();
        FB_VK(submit(context.queue, slot.commands, slot.done.handle));
        blocked_us.push_back(
            std::chrono::duration<double, std::micro>(Clock::now() - before).count());
        slot.in_flight = true;
        const std::chrono::nanoseconds submitting = before.time_since_epoch();
        if (!send(socket, FrameReady{frame % slot_count, frame, submitting.count()})) {
            return EXIT_FAILURE;
        }
        ++in_use;
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    FB_VK(vkDeviceWaitIdle(context.device));
    const nlohmann::json result = {
        {"device", context.device_name},
        {"submit_blocked_us", median(blocked_us)},
        {"submit_blocked_max_us", *std::max_element(blocked_us.begin(), blocked_us.end())},
        {"frames_per_second", frames / seconds},
    };
    std::cout << result << '\n';
    return EXIT_SUCCESS;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: fencebridge-producer SOCKET FRAMES WORK_MS CPU_MS\n");
        return 2;
    }
    return produce(std::atoi(argv[1]), static_cast<uint32_t>(std::atoi(argv[2])),
                   std::chrono::milliseconds(std::atoi(argv[3])),
                   std::chrono::milliseconds(std::atoi(argv[4])));
}
