// What the tests on a real driver share.
#pragma once

#include "support/readiness.hpp"
#include "support/vgem.hpp"
#include "support/vulkan_commands.hpp"
#include "support/vulkan_context.hpp"
#include "support/vulkan_memory.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <poll.h>

namespace fencebridge::test {

/// GPU work long enough to be running when a submit has returned, short enough for a test.
constexpr std::chrono::milliseconds long_work{180};

constexpr uint32_t old_value = 0x11111111;
constexpr uint32_t new_value = 0x22222222;

/// Enough pixels that a copy takes more than a blink, few enough for every driver's image limits.
constexpr Extent shared_extent{1024, 4};

/// Fails the test with what validation said, if anything.
inline void expect_no_messages(VulkanContext& context) {
    for (const std::string& message : context.take_messages()) {
        ADD_FAILURE() << "validation: " << message;
    }
}

/// What a peer sees of a buffer right after the submit that writes `new_value` into it.
struct HandOffSeen {
    bool pending = false; ///< a fence was there: a peer that polls waits
    bool stale = false;   ///< none was there and the content was old: a peer that polls shows it
};
inline HandOffSeen look_now(const SharedBuffer& shared) {
    HandOffSeen seen;
    seen.pending = !is_ready(shared.dma_buf, POLLIN);
    // Poll first, read second, as a consumer does.
    seen.stale = !seen.pending && shared.content() != new_value;
    return seen;
}

constexpr VkAccessFlags write_access = VK_ACCESS_TRANSFER_WRITE_BIT;

/// Takes `shared` from `family` and writes new_value into it behind long work.
inline void record_write(CommandBuffer& commands, const LongWork& work, const SharedBuffer& shared,
                         uint32_t family = VK_QUEUE_FAMILY_FOREIGN_EXT) {
    commands.acquire(shared, family, write_access, true);
    work.record(commands, long_work);
    commands.fill(shared, new_value);
}

/// A command buffer that does so and hands the buffer back.
inline void record_frame(CommandBuffer& commands, const LongWork& work, const SharedBuffer& shared,
                         uint32_t family = VK_QUEUE_FAMILY_FOREIGN_EXT,
                         VkCommandBufferUsageFlags flags = 0) {
    commands.begin(flags);
    record_write(commands, work, shared, family);
    commands.release(shared, family, write_access);
    commands.end();
}

/// Gives `shared` its old content, submits such a frame, and looks at what that leaves a peer.
inline HandOffSeen hand_out_frame(const VulkanContext& context, CommandBuffer& commands,
                                  const LongWork& work, const SharedBuffer& shared,
                                  VkFence fence = VK_NULL_HANDLE,
                                  uint32_t family = VK_QUEUE_FAMILY_FOREIGN_EXT) {
    shared.fill_on_cpu(old_value);
    record_frame(commands, work, shared, family);
    FB_VK(submit(context.queue, commands, fence));
    return look_now(shared);
}

/// For INSTANTIATE_TEST_SUITE_P.
inline std::string by_layers(const testing::TestParamInfo<Layers>& parameter) {
    return name(parameter.param);
}

/// Sources that hand out pending fences; with `wait` the work is done when the submit returns.
/// lavapipe has none of its own, and needs vgem.
inline bool has_pending_source(const VulkanContext& context) {
    return context.driver != VK_DRIVER_ID_MESA_LLVMPIPE || missing_vgem().empty();
}

} // namespace fencebridge::test
