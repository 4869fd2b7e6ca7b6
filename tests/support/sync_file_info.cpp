#include "support/sync_file_info.hpp"

#include <linux/sync_file.h>

#include <cerrno>
#include <sys/ioctl.h>
#include <system_error>

namespace fencebridge::test {

namespace {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

} // namespace

SyncFileInfo sync_file_info(int fd) {
    // With room for none, the kernel tells the count alone.
    struct sync_file_info raw{};
    if (::ioctl(fd, SYNC_IOC_FILE_INFO, &raw) != 0) {
        fail("SYNC_IOC_FILE_INFO");
    }
    std::vector<sync_fence_info> fences(raw.num_fences);
    raw.sync_fence_info = reinterpret_cast<uintptr_t>(fences.data());
    if (::ioctl(fd, SYNC_IOC_FILE_INFO, &raw) != 0) {
        fail("SYNC_IOC_FILE_INFO");
    }
    SyncFileInfo info{.status = raw.status, .fence_count = raw.num_fences, .drivers = {}};
    for (const sync_fence_info& fence : fences) {
        info.drivers.emplace_back(static_cast<const char*>(fence.driver_name));
    }
    return info;
}

Fd merged(int a, int b) {
    sync_merge_data merge{.name = "test", .fd2 = b, .fence = -1, .flags = 0, .pad = 0};
    if (::ioctl(a, SYNC_IOC_MERGE, &merge) != 0) {
        fail("SYNC_IOC_MERGE");
    }
    return Fd(merge.fence);
}

} // namespace fencebridge::test
