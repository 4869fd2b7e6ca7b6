// What the kernel tells about a sync_file.
#pragma once

#include "support/fd.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace fencebridge::test {

struct SyncFileInfo {
    int status = -1;          ///< 1: signalled, 0: pending, negative: a fence failed
    uint32_t fence_count = 0; ///< fences that were not signalled when it was made; at least 1
    std::vector<std::string> drivers; ///< of each; only right while it is pending
    bool is_pending() const { return status == 0; }
    bool is_signalled() const { return status == 1; }
};

/// SYNC_IOC_FILE_INFO. Throws std::system_error where `fd` is no sync_file.
SyncFileInfo sync_file_info(int fd);

/// SYNC_IOC_MERGE. Throws std::system_error.
Fd merged(int a, int b);

} // namespace fencebridge::test
