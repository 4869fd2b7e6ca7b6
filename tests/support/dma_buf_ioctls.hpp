// The two dma-buf ioctls, raw: what the kernel answers is what the caller sees.
#pragma once

#include "support/fd.hpp"

#include <cstdint>

namespace fencebridge::test {

struct Exported {
    Fd sync_file;
    int error = 0; ///< errno, 0 where it worked
};

/// DMA_BUF_IOCTL_EXPORT_SYNC_FILE with these DMA_BUF_SYNC_* flags. One ioctl(), no retry.
Exported export_sync_file(int dma_buf, uint32_t flags);

/// DMA_BUF_IOCTL_IMPORT_SYNC_FILE. 0, or the errno. One ioctl(), no retry.
int import_sync_file(int dma_buf, int sync_file, uint32_t flags);

} // namespace fencebridge::test
