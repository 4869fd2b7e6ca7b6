#include "fence/sync_file.hpp"

#include "fence/retry.hpp"

#include <linux/sync_file.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <utility>
#include <vector>

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

uint32_t pending_fences(int sync_file_fd) {
    sync_file_info info{};
    if (retry_ioctl(sync_file_fd, SYNC_IOC_FILE_INFO, &info) != 0) {
        return 0;
    }
    std::vector<sync_fence_info> fences(info.num_fences);
    info.sync_fence_info = reinterpret_cast<uintptr_t>(fences.data());
    if (retry_ioctl(sync_file_fd, SYNC_IOC_FILE_INFO, &info) != 0) {
        return 0;
    }
    return static_cast<uint32_t>(
        std::count_if(fences.begin(), fences.end(),
                      [](const sync_fence_info& fence) { return fence.status == 0; }));
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

bool merge_into(UniqueFd& all, UniqueFd& more) {
    if (!all) {
        all = std::move(more);
        return true;
    }
    UniqueFd both = merge_sync_files(all.get(), more.get());
    if (!both) {
        return false;
    }
    all = std::move(both);
    more.reset();
    return true;
}

} // namespace fencebridge
