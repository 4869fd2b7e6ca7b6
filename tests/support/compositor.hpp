// The Wayland compositors of the guest.
#pragma once

#include <string>

namespace fencebridge::test {

/// One of them, started for this process and ended with the object.
class Compositor {
public:
    /// `name`: sway, weston, kwin or mutter. `software`: it draws on the CPU, and takes buffers
    /// that no GPU of the guest's would. Waits until it answers, and says so in $WAYLAND_DISPLAY.
    /// Its log goes to `log`, a file. Throws std::runtime_error where it does not come up.
    Compositor(const std::string& name, bool software, const std::string& log);
    ~Compositor();
    Compositor(const Compositor&) = delete;
    Compositor& operator=(const Compositor&) = delete;

private:
    void stop() noexcept;
    int group_ = -1; ///< its process group
};

/// Whether the compositor leaves a picture unshown as long as the fences on its dma-buf are
/// pending.
bool waits_for_dma_bufs(const std::string& compositor);

} // namespace fencebridge::test
