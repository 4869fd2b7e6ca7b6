// The kernel itself as the consumer: a display flips to our picture, with no fence but those on the
// dma-buf, while the GPU still draws it.
#include "driver/driver_test.hpp"
#include "support/kms.hpp"
#include "support/photograph.hpp"
#include "support/results.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

/// Many times what a flip takes, so that a flip that does not wait is seen to come first. At least.
constexpr std::chrono::milliseconds drawing_time{350};
/// An end for what never comes.
constexpr std::chrono::seconds patience{20};

/// What is in the two frames at first, and what is drawn in them round by round.
constexpr std::array<uint32_t, 2> first_colours = {0x00202020, 0x00404040};
constexpr std::array<uint32_t, 3> colours = {0x00ff0000, 0x0000ff00, 0x000000ff};

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

/// A colour for a person to read.
std::string hex(uint32_t colour) {
    char text[9];
    std::snprintf(static_cast<char*>(text), sizeof(text), "%06x", colour);
    return static_cast<const char*>(text);
}

/// What one flip was seen to do.
struct Flip {
    uint32_t wanted = 0;  ///< the colour that the work draws
    bool pending = false; ///< the dma-buf had a fence when the commit had returned
    uint32_t content = 0; ///< of the dma-buf when the flip's event had come

    Clock::time_point start; ///< when the submit had returned
    Clock::time_point committed;
    Clock::time_point flipped;
    Clock::time_point drawn; ///< when the content was first seen to be new

    bool is_early() const { return content != wanted; }
    Milliseconds after_drawing() const { return flipped - drawn; }
    std::string text() const {
        const auto since_start = [&](Clock::time_point time) {
            return std::to_string(
                std::chrono::round<std::chrono::milliseconds>(time - start).count());
        };
        return "ms after the submit: commit returned " + since_start(committed) + ", flip event " +
               since_start(flipped) + ", drawing done " + since_start(drawn);
    }
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
        for (size_t i = 0; i < frames_.size(); ++i) {
            Frame& frame = frames_.at(i);
            frame.shared =
                std::make_unique<SharedBuffer>(*context_, extent, SharedBuffer::Kind::Image);
            frame.id = display_->add(*frame.shared);
            // On a busy machine LongWork may be far from the time asked for: measured once more.
            const auto start = Clock::now();
            draw(frame, first_colours.at(i));
            FB_VK(fence_->wait());
            const Milliseconds took = Clock::now() - start;
            longer_ *= std::max(1.0, drawing_time / took);
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
        return round < 2 ? first_colours.at(round) : colours.at(round - 2);
    }

    /// Submits work that ends with `colour` in the frame.
    void draw(const Frame& frame, uint32_t colour) {
        const SharedBuffer& shared = *frame.shared;
        std::ranges::copy(picture_of(shared.extent, colour), staging_->mapped);
        fence_ = std::make_unique<Fence>(*context_);
        commands_ = std::make_unique<CommandBuffer>(*context_);
        commands_->begin();
        commands_->acquire(shared, VK_QUEUE_FAMILY_FOREIGN_EXT, VK_ACCESS_TRANSFER_WRITE_BIT, true);
        work_->record(*commands_, std::chrono::round<std::chrono::milliseconds>(
                                      Milliseconds(drawing_time) * longer_));
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

    /// Draws, flips at once, watches until the flip's event comes, and waits for the drawing's end.
    Flip flip(size_t round) {
        const Frame& frame = frame_of(round);
        Flip seen;
        seen.wanted = colours.at(round);
        draw(frame, seen.wanted);
        seen.start = Clock::now();
        display_->flip(frame.id);
        seen.committed = Clock::now();
        seen.pending = !is_ready(frame.shared->dma_buf, POLLIN);
        bool has_flipped = false;
        bool is_drawn = false;
        while (!has_flipped && Clock::now() - seen.start < patience) {
            has_flipped = display_->has_flipped(std::chrono::milliseconds(1));
            seen.flipped = Clock::now();
            // After the event, never before it: what an early flip shows is old.
            seen.content = frame.shared->content();
            if (!is_drawn && !seen.is_early()) {
                is_drawn = true;
                seen.drawn = Clock::now();
            }
        }
        EXPECT_TRUE(has_flipped) << "no flip event";
        EXPECT_EQ(fence_->wait(), VK_SUCCESS);
        EXPECT_EQ(hex(frame.shared->content()), hex(seen.wanted)) << "after the own fence";
        if (!is_drawn) {
            seen.drawn = Clock::now();
        }
        return seen;
    }

    /// The machine outside shows a picture some moments after the guest's flip: photographs until
    /// the first pixel is an accepted one.
    template<typename Accept>
    Photograph photograph_until(Accept accept, std::chrono::seconds longest = patience) const {
        const auto limit = Clock::now() + longest;
        Photograph photo = photograph(device_);
        while ((!photo.error.empty() || !accept(photo.pixels.front())) && Clock::now() < limit) {
            photo = photograph(device_);
        }
        return photo;
    }

    /// Whether what the modeset showed has arrived outside: from here on every new picture is ours.
    /// The emulated display was seen to keep an older picture: it is shown again then, behind the
    /// other one, for the kernel passes on what changes alone.
    testing::AssertionResult shows_first_picture() const {
        Photograph photo;
        for (int attempt = 0; attempt < 4; ++attempt) {
            if (attempt != 0) {
                display_->show(frames_[0].id);
                display_->show(frames_[1].id);
            }
            photo = photograph_until([&](uint32_t first) { return first == shown_outside_; },
                                     patience / 4);
            if (photo.error.empty() && photo.pixels.front() == shown_outside_) {
                return testing::AssertionSuccess();
            }
        }
        if (!photo.error.empty()) {
            return testing::AssertionFailure() << "no photograph: " << photo.error;
        }
        return testing::AssertionFailure()
               << "the first pixel of " << photo.extent.width << "x" << photo.extent.height
               << " is " << hex(photo.pixels.front()) << ", not " << hex(shown_outside_);
    }

    /// The colour of the picture after the last one that was seen from outside; 0 where that is
    /// none of ours, and the test has failed.
    uint32_t next_colour_outside() {
        const Photograph photo =
            photograph_until([&](uint32_t first) { return first != shown_outside_; });
        if (!photo.error.empty()) {
            ADD_FAILURE() << "no photograph: " << photo.error;
            return 0;
        }
        const Extent extent = display_->extent();
        const uint32_t colour = photo.pixels.front();
        if (photo.extent.width != extent.width || photo.extent.height != extent.height) {
            ADD_FAILURE() << "the photograph has " << photo.extent.width << "x"
                          << photo.extent.height << " pixels";
            return 0;
        }
        const std::vector<uint32_t> wanted = picture_of(extent, colour);
        const auto [wrong, right] = std::ranges::mismatch(photo.pixels, wanted);
        if (wrong != photo.pixels.end()) {
            const auto at = static_cast<uint32_t>(wrong - photo.pixels.begin());
            ADD_FAILURE() << "the pixel at " << at % extent.width << ", " << at / extent.width
                          << " is " << hex(*wrong) << ", not " << hex(*right);
            return 0;
        }
        shown_outside_ = colour;
        return colour;
    }

    /// How long after the drawing's end the flips came, for the reader of the results.
    void record(std::vector<Flip> flips, std::string_view bar, bool ok) const {
        std::ranges::sort(flips, {}, &Flip::after_drawing);
        const Flip& median = flips.at(flips.size() / 2);
        record_value("kms/" + name(GetParam()) + "/flip_after_drawing",
                     median.after_drawing().count(), "ms", bar, ok, median.text());
    }

    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<LongWork> work_;
    double longer_ = 1; ///< than asked of it, for it to take drawing_time
    std::unique_ptr<Buffer> staging_;
    std::array<Frame, 2> frames_;
    std::unique_ptr<CommandBuffer> commands_;
    std::unique_ptr<Fence> fence_;
    std::unique_ptr<Display> display_;
    std::string device_;
    uint32_t shown_outside_ = first_colours.back(); ///< by the last photograph
};

using KmsOn = KmsTest;
TEST_P(KmsOn, NoFlipComesBeforeTheDrawingsEnd) {
    std::vector<Flip> flips;
    for (size_t round = 0; round < colours.size(); ++round) {
        const Flip seen = flips.emplace_back(flip(round));
        EXPECT_FALSE(seen.is_early()) << seen.text();
        if (has_pending_source(*context_)) {
            EXPECT_TRUE(seen.pending) << "no fence for the kernel to wait for; " << seen.text();
        }
    }
    record(flips, "no flip before the content is new",
           std::ranges::none_of(flips, &Flip::is_early));
}
INSTANTIATE_TEST_SUITE_P(Layer, KmsOn, testing::Values(Layers::Bridge, Layers::ValidationBelow),
                         by_layers);

using KmsPictureOn = KmsTest;
TEST_P(KmsPictureOn, IsTheNewOne) {
    if (const std::string missing = missing_photographer(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    ASSERT_TRUE(shows_first_picture());
    for (size_t round = 0; round < colours.size(); ++round) {
        const Flip seen = flip(round);
        EXPECT_EQ(hex(next_colour_outside()), hex(colours.at(round))) << seen.text();
    }
}
INSTANTIATE_TEST_SUITE_P(Layer, KmsPictureOn, testing::Values(Layers::Bridge), by_layers);

/// The same without the layer: the kernel has nothing to wait for, and what the display shows is
/// old. On a busy machine the drawing may win now and then.
constexpr size_t most = colours.size() / 2 + 1;

using KmsOff = KmsTest;
TEST_P(KmsOff, FlipsComeTooEarly) {
    std::vector<Flip> flips;
    size_t early = 0;
    for (size_t round = 0; round < colours.size(); ++round) {
        const Flip seen = flips.emplace_back(flip(round));
        EXPECT_FALSE(seen.pending) << seen.text();
        early += seen.is_early() ? 1U : 0U;
    }
    EXPECT_GE(early, most) << flips.back().text();
    record(flips, "most flips before the content is new", early >= most);
}
INSTANTIATE_TEST_SUITE_P(Layer, KmsOff, testing::Values(Layers::None), by_layers);

using KmsPictureOff = KmsTest;
TEST_P(KmsPictureOff, IsTheOldOne) {
    if (const std::string missing = missing_photographer(); !missing.empty()) {
        GTEST_SKIP() << missing;
    }
    ASSERT_TRUE(shows_first_picture());
    size_t old = 0;
    for (size_t round = 0; round < colours.size(); ++round) {
        flip(round);
        old += next_colour_outside() == colour_before(round) ? 1U : 0U;
    }
    EXPECT_GE(old, most);
}
INSTANTIATE_TEST_SUITE_P(Layer, KmsPictureOff, testing::Values(Layers::None), by_layers);

} // namespace
} // namespace fencebridge::test
