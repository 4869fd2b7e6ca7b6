// The setting `check`: misuse reaches the application's messenger, by the object's own name.
#include "driver/driver_test.hpp"
#include "support/dma_buf_ioctls.hpp"

#include <linux/dma-buf.h>

#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr VkAccessFlags writes = VK_ACCESS_TRANSFER_WRITE_BIT;
constexpr VkAccessFlags reads = VK_ACCESS_TRANSFER_READ_BIT;

/// An application's frames on one buffer that it calls "frame".
class Frames {
public:
    explicit Frames(const VulkanContext& context)
        : context_(context), shared_(context, shared_extent), target_(context, 4, 0) {
        const VkDebugUtilsObjectNameInfoEXT name{
            .sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT,
            .objectType = VK_OBJECT_TYPE_BUFFER,
            .objectHandle = reinterpret_cast<uint64_t>(shared_.buffer),
            .pObjectName = "frame",
        };
        FB_VK(context.function<PFN_vkSetDebugUtilsObjectNameEXT>("vkSetDebugUtilsObjectNameEXT")(
            context.device, &name));
    }

    const SharedBuffer& shared() const { return shared_; }

    /// One submit of what `record` records, done when it returns.
    template<typename Record>
    void submit_and_wait(Record record) const {
        CommandBuffer commands(context_);
        commands.begin();
        record(commands);
        commands.end();
        FB_VK(submit(context_.queue, commands));
        FB_VK(vkQueueWaitIdle(context_.queue));
    }
    void acquire(VkAccessFlags access) const {
        submit_and_wait([&](CommandBuffer& commands) {
            commands.acquire(shared_, VK_QUEUE_FAMILY_FOREIGN_EXT, access);
        });
    }
    void draw() const {
        submit_and_wait([&](CommandBuffer& commands) { commands.fill(shared_, new_value); });
    }
    void read() const {
        submit_and_wait(
            [&](CommandBuffer& commands) { commands.copy_first_word(shared_, target_); });
    }
    void release(VkAccessFlags access) const {
        submit_and_wait([&](CommandBuffer& commands) {
            commands.release(shared_, VK_QUEUE_FAMILY_FOREIGN_EXT, access);
        });
    }

private:
    const VulkanContext& context_;
    SharedBuffer shared_;
    Buffer target_;
};

/// A peer's pending read of the buffer.
VgemFence peer_reads(const SharedBuffer& shared) {
    VgemFence fence = pending_fence();
    EXPECT_EQ(import_sync_file(shared.dma_buf, fence.sync_file(), DMA_BUF_SYNC_READ), 0);
    return fence;
}

struct Misuse {
    const char* id; ///< of the message; the test's name
    void (*happen)(const VulkanContext&);
};

void use_while_peer_owns(const VulkanContext& context) {
    const Frames frames(context);
    frames.draw();
    frames.release(writes);
    frames.draw();
}

void release_without_acquire(const VulkanContext& context) {
    const Frames frames(context);
    frames.release(writes);
    frames.release(writes);
}

void foreign_fence_while_owned(const VulkanContext& context) {
    const Frames frames(context);
    frames.acquire(writes);
    frames.draw();
    const VgemFence fence = peer_reads(frames.shared());
    frames.release(writes);
}

void hand_off_unseen(const VulkanContext& context) {
    const Buffer private_buffer(context, 4096, 0);
    const VkBufferMemoryBarrier release{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = writes,
        .srcQueueFamilyIndex = 0,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT,
        .buffer = private_buffer.buffer,
        .size = VK_WHOLE_SIZE,
    };
    CommandBuffer commands(context);
    commands.begin();
    vkCmdPipelineBarrier(commands.handle, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, nullptr, 1, &release, 0,
                         nullptr);
    commands.end();
    FB_VK(submit(context.queue, commands));
    FB_VK(vkQueueWaitIdle(context.queue));
}

constexpr Misuse misuses[] = {
    {"use-while-peer-owns", use_while_peer_owns},
    {"release-without-acquire", release_without_acquire},
    {"foreign-fence-while-owned", foreign_fence_while_owned},
    {"hand-off-unseen", hand_off_unseen},
};

std::string by_id(const testing::TestParamInfo<Misuse>& parameter) {
    std::string words = parameter.param.id;
    std::erase(words, '-');
    return words;
}

class CheckTest : public testing::TestWithParam<Misuse> {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem();
            GetParam().happen == foreign_fence_while_owned && !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
};

TEST_P(CheckTest, OnIsToldOf) {
    VulkanContext context({.layers = Layers::Bridge, .settings = {{"CHECK", "on"}}});
    GetParam().happen(context);
    const std::vector<std::string> messages = context.take_messages();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_NE(messages[0].find("FENCEBRIDGE-" + std::string(GetParam().id) + ": "),
              std::string::npos)
        << messages[0];
    if (GetParam().happen != hand_off_unseen) {
        EXPECT_NE(messages[0].find("VkBuffer \"frame\""), std::string::npos) << messages[0];
    }
}

TEST_P(CheckTest, OffIsNot) {
    VulkanContext context({.layers = Layers::Bridge});
    GetParam().happen(context);
    EXPECT_TRUE(context.take_messages().empty());
}
INSTANTIATE_TEST_SUITE_P(Misuse, CheckTest, testing::ValuesIn(misuses), by_id);

/// Peers that work on the buffer in their own time, and readers beside a reader, are in the right.
class CheckRightUse : public testing::TestWithParam<Layers> {};

TEST_P(CheckRightUse, IsNotToldOf) {
    if (const std::string missing = missing_vgem(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    VulkanContext context({.layers = GetParam(), .settings = {{"CHECK", "on"}}});
    {
        const Frames frames(context);
        frames.draw();
        frames.release(writes);
        for (int frame = 0; frame < 3; ++frame) {
            {
                const VgemFence reader = peer_reads(frames.shared());
            }
            frames.acquire(writes);
            frames.draw();
            frames.release(writes);
        }
        frames.acquire(reads);
        const VgemFence other_reader = peer_reads(frames.shared());
        frames.read();
        frames.release(reads);
    }
    expect_no_messages(context);
}
INSTANTIATE_TEST_SUITE_P(Layer, CheckRightUse,
                         testing::Values(Layers::Bridge, Layers::ValidationBelow,
                                         Layers::ValidationAbove),
                         by_layers);

} // namespace
} // namespace fencebridge::test
