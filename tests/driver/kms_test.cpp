// The kernel itself as the consumer: a display flips to our picture, with no fence but those on the
// dma-buf, while the GPU still draws it.
#include "driver/driver_test.hpp"
#include "support/kms.hpp"
#include "support/photograph.hpp"
#include "support/results.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>

namespace fencebridge::test {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// Many times what a flip takes, so that a flip that does not wait is seen to come first.
constexpr std::chrono::milliseconds drawing_time{500};

constexpr uint32_t first_colour = 0x00202020;
constexpr std::array<uint32_t, 5> colours = {0x00ff0000, 0x0000ff00, 0x000000ff, 0x00ffff00,
                                             0x00ff00ff};

/// A display for a Vulkan driver's buffers: the card that takes them, and what the machine around
/// the guest calls it.
struct DisplayOf {
    VkDriverId vulkan;
    const char* card;
    const char* device;
};
constexpr DisplayOf displays[] = {
    {VK_DRIVER_ID_MESA_VENUS, "virtio_gpu", "virtio"},  // takes its own buffers only
    {VK_DRIVER_ID_MESA_LLVMPIPE, "bochs-drm", "bochs"}, // takes udmabufs
};

/// One colour, but for a stripe from corner to corner that makes a wrong pitch visible. The first
/// and the last pixel have the colour.
std::vector<uint32_t> picture_of(Extent extent, uint32_t colour) {
    std::vector<uint32_t> pixels(size_t{extent.width} * extent.height, colour);
    constexpr uint32_t stripe = 16;
    for (uint32_t y = 0; y < extent.height; ++y) {
        const uint32_t x = (extent.width - stripe) * (extent.height - 1 - y) / extent.height;
        std::fill_n(pixels.begin() + ptrdiff_t{y} * extent.width + x, stripe, ~colour & 0xffffffU);
    }
    return pixels;
}

/// What one flip was seen to do. Times are from the submit's return on.
struct Flip {
    bool pending = false;        ///< the dma-buf had a fence when the commit had returned
    uint32_t content = 0;        ///< of the dma-buf when the flip's event had come
    VkResult fence = VK_SUCCESS; ///< the application's own, then
    Milliseconds committed{};
    Milliseconds flipped{};
    Milliseconds drawn{}; ///< when the content was first seen to be new
};

class KmsTest : public testing::TestWithParam<Layers> {
protected:
    void SetUp() override {
        context_ = std::make_unique<VulkanContext>(ContextOptions{.layers = GetParam()});
        const auto* const found =
            std::find_if(std::begin(displays), std::end(displays),
                         [&](const DisplayOf& one) { return one.vulkan == context_->driver; });
        if (found == std::end(displays)) {
            GTEST_SKIP() << "no display known that takes the buffers of " << context_->device_name;
        }
        if (const std::string missing = missing_display(found->card); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
        device_ = found->device;
        work_ = std::make_unique<LongWork>(*context_);
        display_ = std::make_unique<Display>(found->card);
        const Extent extent = display_->extent();
        staging_ =
            std::make_unique<Buffer>(*context_, VkDeviceSize{extent.width} * extent.height * 4,
                                     VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
        for (Frame& frame : frames_) {
            frame.shared =
                std::make_unique<SharedBuffer>(*context_, extent, SharedBuffer::Kind::Image);
            frame.id = display_->add(*frame.shared);
            draw(frame, first_colour, std::chrono::milliseconds(0));
            FB_VK(fence_->wait());
        }
        display_->show(frames_[1].id);
    }

    void TearDown() override {
        if (display_) {
            FB_VK(vkQueueWaitIdle(context_->queue));
        }
        display_.reset();
        commands_.reset();
        fence_.reset();
        frames_ = {};
        staging_.reset();
        work_.reset();
        expect_no_messages(*context_);
    }

    struct Frame {
        std::unique_ptr<SharedBuffer> shared;
        uint32_t id = 0;
    };

    /// The frame that is not on the display in this round.
    Frame& frame_of(size_t round) { return frames_.at(round % 2); }
    /// What is in that frame before it is drawn.
    static uint32_t colour_before(size_t round) {
        return round < 2 ? first_colour : colours.at(round - 2);
    }

    /// Submits work that ends with `colour` in the frame.
    void draw(Frame& frame, uint32_t colour, std::chrono::milliseconds time) {
        const SharedBuffer& shared = *frame.shared;
        std::ranges::copy(picture_of(shared.extent, colour), staging_->mapped);
        fence_ = std::make_unique<Fence>(*context_);
        commands_ = std::make_unique<CommandBuffer>(*context_);
        commands_->begin();
        commands_->acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT, true);
        if (time.count() > 0) {
            work_->record(*commands_, time);
        }
        const VkBufferImageCopy region{
            .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
            .imageExtent = {shared.extent.width, shared.extent.height, 1},
        };
        vkCmdCopyBufferToImage(commands_->handle, staging_->buffer, shared.image,
                               VK_IMAGE_LAYOUT_GENERAL, 1, &region);
        commands_->release(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT);
        commands_->end();
        FB_VK(submit(context_->queue, *commands_, fence_->handle));
    }

    /// Draws, flips at once, and watches until the flip's event comes.
    Flip flip(size_t round) {
        Frame& frame = frame_of(round);
        Flip seen;
        draw(frame, colours.at(round), drawing_time);
        const auto start = Clock::now();
        display_->flip(frame.id);
        seen.pending = !is_ready(frame.shared->dma_buf, POLLIN);
        seen.committed = Clock::now() - start;
        std::optional<Milliseconds> drawn;
        const auto look = [&] {
            seen.content = frame.shared->content();
            if (!drawn && seen.content == colours.at(round)) {
                drawn = Clock::now() - start;
            }
        };
        // The event first, the content second: new content does not excuse an early event.
        bool flipped = false;
        while (!flipped && Clock::now() - start < std::chrono::seconds(20)) {
            flipped = display_->has_flipped(std::chrono::milliseconds(1));
            seen.flipped = Clock::now() - start;
            look();
        }
        EXPECT_TRUE(flipped) << "no flip event";
        seen.fence = fence_->status();
        return seen;
    }

    /// The rest of the work, where a flip came before its end.
    void finish(size_t round, Flip& seen) {
        EXPECT_EQ(fence_->wait(), VK_SUCCESS);
        EXPECT_EQ(frame_of(round).shared->content(), colours.at(round));
        (void)seen;
    }

    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<LongWork> work_;
    std::unique_ptr<Buffer> staging_;
    std::array<Frame, 2> frames_;
    std::unique_ptr<CommandBuffer> commands_;
    std::unique_ptr<Fence> fence_;
    std::unique_ptr<Display> display_;
    std::string device_;
};

size_t wrong_pixels(const Photograph& p, Extent e, uint32_t colour) {
    const auto want = picture_of(e, colour);
    if (p.pixels.size() != want.size())
        return want.size();
    size_t n = 0;
    for (size_t i = 0; i < want.size(); ++i)
        n += p.pixels[i] != want[i];
    return n;
}

using KmsOn = KmsTest;
TEST_P(KmsOn, Explore) {
    for (size_t round = 0; round < colours.size(); ++round) {
        Flip seen = flip(round);
        const auto t0 = Clock::now();
        Photograph photo = photograph(device_);
        const Milliseconds took = Clock::now() - t0;
        std::printf(
            "round %zu pending %d committed %.1f drawn %.1f flipped %.1f content %06x (want %06x) "
            "fence %d; photo %.0f ms %ux%u err '%s' pixel %06x mid %06x wrong %zu; vs old %zu\n",
            round, seen.pending, seen.committed.count(), seen.drawn.count(), seen.flipped.count(),
            seen.content, colours[round], seen.fence, took.count(), photo.extent.width,
            photo.extent.height, photo.error.c_str(), photo.pixels.empty() ? 0 : photo.pixels[0],
            photo.pixels.empty() ? 0
                                 : photo.pixels[photo.pixels.size() / 2 + photo.extent.width / 2],
            wrong_pixels(photo, display_->extent(), colours[round]),
            wrong_pixels(photo, display_->extent(), colour_before(round)));
        finish(round, seen);
        std::fflush(stdout);
    }
}
INSTANTIATE_TEST_SUITE_P(Layer, KmsOn, testing::Values(Layers::Bridge, Layers::None), by_layers);

} // namespace
} // namespace fencebridge::test
