// A machine that lacks a kernel part, made of one that has it, for this process alone.
#pragma once

#include <string>

namespace fencebridge::test {

/// From now on the kernel answers this process's DMA_BUF_IOCTL_{EXPORT,IMPORT}_SYNC_FILE with
/// ENOTTY, as one before 6.0 does (a seccomp filter; no older kernel can be booted beside current
/// drivers). Empty, or what went wrong.
std::string without_sync_file_ioctls();

/// From now on the kernel says that it has done this process's DMA_BUF_IOCTL_IMPORT_SYNC_FILE, and
/// has not: dma-bufs are handed over without their fences.
std::string without_attaching();

/// From now on this process finds no vgem node: others' nodes are where they were. Needs root.
std::string without_vgem();

} // namespace fencebridge::test
