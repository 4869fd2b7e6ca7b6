// An application among layers, which its environment names: it comes up, shares memory, hands it
// off, presents on a surface that nobody looks at, and goes down. It prints what it has seen, as
// "name: value" lines: `seen` must be the same among any layers, `mapped` and `first` tell of them.
#include "driver/driver_test.hpp"
#include "support/headless_swapchain.hpp"
#include "support/mapped_library.hpp"

#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace {

using namespace fencebridge::test;

void say(const char* name, const std::string& value) {
    std::printf("%s: %s\n", name, value.c_str());
}

/// Whose function the application's calls come to first.
void say_first(const VulkanContext& context, const char* function) {
    Dl_info library{};
    const auto place = reinterpret_cast<const void*>(vkGetDeviceProcAddr(context.device, function));
    say("first", ::dladdr(place, &library) != 0 ? library.dli_fname : "unknown");
}

void hand_off(const VulkanContext& context) {
    if (!context.has_dma_buf) {
        say("shares", "no dma-bufs");
        return;
    }
    const SharedBuffer shared(context, shared_extent);
    const LongWork work(context);
    CommandBuffer commands(context);
    // NOLINTNEXTLINE(concurrency-mt-unsafe)
    if (std::getenv("FENCEBRIDGE_STAND_IN") != nullptr) {
        // A memfd takes no fence and has more in it than the buffer, so nobody can look at it as a
        // peer does. The layer hands it off finished.
        const Fence fence(context);
        record_frame(commands, work, shared);
        FB_VK(submit(context.queue, commands, fence.handle));
        say("handed off", fence.status() == VK_SUCCESS ? "good" : "stale");
        FB_VK(fence.wait());
        return;
    }
    const HandOffSeen seen = hand_out_frame(context, commands, work, shared);
    say("handed off", seen.stale ? "stale" : "good");
    FB_VK(vkDeviceWaitIdle(context.device));
    say("seen", "content " + std::to_string(shared.content()));
}

void present(const VulkanContext& context) {
    const HeadlessSwapchain swapchain(context, {64, 64}, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    say("seen", "images " + std::to_string(swapchain.images.size()));
    for (int frame = 0; frame < 4; ++frame) {
        uint32_t index = 0;
        const VkResult acquired = swapchain.try_acquire(index);
        CommandBuffer commands(context);
        commands.begin();
        commands.change_layout(swapchain.images.at(index), VK_IMAGE_LAYOUT_UNDEFINED,
                               VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
        commands.end();
        const VkResult presented = swapchain.try_present(commands, index);
        say("seen", "frame " + std::to_string(acquired) + " " + std::to_string(presented));
        FB_VK(vkDeviceWaitIdle(context.device));
    }
}

} // namespace

int main() {
    // What was seen before a crash is of interest.
    (void)std::setvbuf(stdout, nullptr, _IOLBF, 0);
    {
        VulkanContext context(with_headless_swapchain({.shares_memory = true}));
        for (const char* library :
             {"VkLayer_FENCEBRIDGE", "VkLayer_khronos_validation", "VkLayer_MESA_overlay",
              "VkLayer_MESA_device_select", "MangoHud", "vkbasalt", "VkLayer_TEST_adding_above"}) {
            if (is_mapped(library)) {
                say("mapped", library);
            }
        }
        say_first(context, "vkCreateSwapchainKHR");
        hand_off(context);
        present(context);
        // Memfds that are called dma-bufs are nothing that validation could find right.
        // NOLINTNEXTLINE(concurrency-mt-unsafe)
        if (std::getenv("FENCEBRIDGE_STAND_IN") == nullptr) {
            for (const std::string& message : context.take_messages()) {
                say("seen", message);
            }
        }
    }
    say("seen", "the end");
    return 0;
}
