// The Wayland compositors of the guest.
#pragma once

#include "support/process_group.hpp"
#include "support/temporary_folder.hpp"

#include <optional>
#include <string>

namespace fencebridge::test {

/// One of them, started for this process and ended with the object.
class Compositor {
public:
    /// `name`: sway, weston, kwin or mutter. `software`: it draws on the CPU, and takes buffers
    /// that no GPU of the guest's would. Waits until it answers, and says so in $XDG_RUNTIME_DIR
    /// and $WAYLAND_DISPLAY; where it has a session bus, in $DBUS_SESSION_BUS_ADDRESS. Its log goes
    /// to `log`, a file. Throws std::runtime_error where it does not come up.
    Compositor(const std::string& name, bool software, const std::string& log);

private:
    void start_bus();

    TemporaryFolder folder_; ///< with its sockets and all that it writes
    std::optional<ProcessGroup> bus_;
    std::optional<ProcessGroup> compositor_;
};

/// Whether the compositor leaves a picture unshown as long as the fences on its dma-buf are
/// pending.
bool waits_for_dma_bufs(const std::string& compositor);
/// Whether it offers linux-drm-syncobj in the guest, and shows nothing before its point.
bool offers_explicit_sync(const std::string& compositor);

} // namespace fencebridge::test
