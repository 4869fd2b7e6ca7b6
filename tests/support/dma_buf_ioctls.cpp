#include "support/dma_buf_ioctls.hpp"

#include <linux/dma-buf.h>

#include <cerrno>
#include <sys/ioctl.h>

namespace fencebridge::test {

Exported export_sync_file(int dma_buf, uint32_t flags) {
    dma_buf_export_sync_file request{.flags = flags, .fd = -1};
    if (::ioctl(dma_buf, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &request) != 0) {
        return {.sync_file = {}, .error = errno};
    }
    return {.sync_file = Fd(request.fd)};
}

int import_sync_file(int dma_buf, int sync_file, uint32_t flags) {
    dma_buf_import_sync_file request{.flags = flags, .fd = sync_file};
    return ::ioctl(dma_buf, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, &request) == 0 ? 0 : errno;
}

} // namespace fencebridge::test
