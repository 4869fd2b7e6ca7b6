#include "fence/sync_file.hpp"

#include "fence/retry.hpp"

#include <linux/sync_file.h>

#include <cerrno>
#include <cstring>
#include <poll.h>

namespace fencebridge {

SyncWait wait_sync_file(int sync_file_fd, std::chrono::milliseconds timeout) {
    if (sync_file_fd < 0) {
        // What Vulkan means by -1; poll() would ignore it, and wait.
        return SyncWait::Signalled;
    }
    return poll_until(sync_file_fd, POLLIN, timeout);
}

bool is_signalled(int sync_file_fd) {
    return wait_sync_file(sync_file_fd, std::chrono::milliseconds(0)) != SyncWait::TimedOut;
}

UniqueFd merge_sync_files(int a, int b) {
    sync_merge_data merge{};
    std::strncpy(merge.name, "fencebridge", sizeof(merge.name) - 1);
    merge.fd2 = b;
    if (retry_ioctl(a, SYNC_IOC_MERGE, &merge) != 0) {
        return {};
    }
    return UniqueFd(merge.fence);
}

} // namespace fencebridge
