// What poll() says of a dma-buf or a sync_file at this moment.
#pragma once

#include <poll.h>

namespace fencebridge::test {

/// POLLIN on a dma-buf: its writers are done. POLLOUT: everybody is. POLLIN on a sync_file: it has
/// signalled.
inline bool is_ready(int fd, short events) {
    pollfd wanted{.fd = fd, .events = events, .revents = 0};
    return ::poll(&wanted, 1, 0) == 1 && (wanted.revents & events) != 0;
}

/// The same, waiting at most `milliseconds`: an upper bound for what will happen, never a measure.
inline bool becomes_ready(int fd, short events, int milliseconds = 20'000) {
    pollfd wanted{.fd = fd, .events = events, .revents = 0};
    return ::poll(&wanted, 1, milliseconds) == 1 && (wanted.revents & events) != 0;
}

} // namespace fencebridge::test
