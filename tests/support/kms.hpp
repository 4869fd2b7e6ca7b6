// A display of this machine, driven by atomic KMS: the kernel itself as the consumer of a dma-buf.
#pragma once

#include "support/fd.hpp"
#include "support/vulkan_memory.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace fencebridge::test {

/// Empty where a DRM card of `driver` (as the kernel names it) has a display that we may drive;
/// else the reason for a skip.
std::string missing_display(const std::string& driver);

/// The card's first display, in a mode of 1024x768 where it has that. It goes dark with the object.
/// Every function throws std::system_error where the kernel refuses. One thread.
class Display {
public:
    explicit Display(const std::string& driver);
    ~Display();
    Display(const Display&) = delete;
    Display& operator=(const Display&) = delete;

    Extent extent() const { return extent_; }

    /// A framebuffer on the dma-buf of an XRGB8888 picture of extent(). The display keeps it.
    uint32_t add(const SharedBuffer& picture);

    /// Sets the mode and shows `framebuffer`; returns when it is shown.
    void show(uint32_t framebuffer);

    /// Asks for `framebuffer` at the next opportunity and returns at once. No IN_FENCE_FD: when
    /// that is, is for the fences on the dma-buf to say.
    void flip(uint32_t framebuffer);

    /// Whether the flip has happened, waiting at most this long for it to happen.
    bool has_flipped(std::chrono::milliseconds limit);

private:
    void go_dark() noexcept;

    Fd card_;
    Extent extent_;
    uint32_t connector_ = 0;
    uint32_t crtc_ = 0;
    uint32_t plane_ = 0;
    uint32_t mode_blob_ = 0;
    bool is_lit_ = false;
    int flips_ = 0; ///< that were asked for and have not happened
};

} // namespace fencebridge::test
