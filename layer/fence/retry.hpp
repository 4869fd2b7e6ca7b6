// System calls that a signal may interrupt, retried as the kernel's DRM users do.
#pragma once

#include "fence/sync_file.hpp"

#include <cerrno>
#include <chrono>
#include <poll.h>
#include <sys/ioctl.h>

namespace fencebridge {

/// ioctl() retried on EINTR and EAGAIN (libdrm's drmIoctl rule). Returns what ioctl() returns.
template<typename T>
int retry_ioctl(int fd, unsigned long request, T* argument) {
    int result = -1;
    do {
        result = ::ioctl(fd, request, argument);
    } while (result == -1 && (errno == EINTR || errno == EAGAIN));
    return result;
}

/// poll() on one fd for `events`, EINTR retried with the time that is left. Negative: no limit.
inline SyncWait poll_until(int fd, short events, std::chrono::milliseconds timeout) {
    using clock = std::chrono::steady_clock;
    const bool bounded = timeout.count() >= 0;
    const auto deadline = clock::now() + timeout;
    auto left = timeout;
    for (;;) {
        pollfd wanted{.fd = fd, .events = events, .revents = 0};
        const int ready = ::poll(&wanted, 1, bounded ? static_cast<int>(left.count()) : -1);
        if (ready > 0) {
            return (wanted.revents & events) != 0 ? SyncWait::Signalled : SyncWait::Failed;
        }
        if (ready == 0) {
            return SyncWait::TimedOut;
        }
        if (errno != EINTR && errno != EAGAIN) {
            return SyncWait::Failed;
        }
        if (bounded) {
            left = std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now());
            if (left.count() < 0) {
                left = std::chrono::milliseconds(0);
            }
        }
    }
}

} // namespace fencebridge
