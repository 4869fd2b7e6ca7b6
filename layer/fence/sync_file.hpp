// sync_file: the kernel's file around one or several dma_fences.
#pragma once

#include "fence/unique_fd.hpp"

#include <chrono>
#include <cstdint>

namespace fencebridge {

enum class SyncWait { Signalled, TimedOut, Failed };

/// Waits on the CPU until `sync_file_fd` (borrowed) has signalled, `timeout` has passed (negative:
/// for ever), or poll() fails. -1 has signalled, as in Vulkan. EINTR is retried with the time that
/// is left. Any thread. Rests on drivers/dma-buf/sync_file.c: sync_file_poll.
SyncWait wait_sync_file(int sync_file_fd, std::chrono::milliseconds timeout);

/// Whether it has signalled by now. A closed or foreign fd counts as signalled: nothing to wait
/// for.
bool is_signalled(int sync_file_fd);

/// How many of its fences have not signalled; 0 also where `sync_file_fd` is none. At most the
/// fences that were pending when it was made. Any thread. (SYNC_IOC_FILE_INFO, linux/sync_file.h)
uint32_t pending_fences(int sync_file_fd);

/// A new sync_file that signals when both have; both inputs are borrowed. None, with errno set, on
/// failure (ENOMEM, EMFILE). Rests on SYNC_IOC_MERGE, linux/sync_file.h.
UniqueFd merge_sync_files(int a, int b);

/// `all`, which may be empty, comes to stand for `more` (not empty) too, which is taken. False,
/// with both as they were, where they cannot be merged: `more` is then the caller's to wait for.
bool merge_into(UniqueFd& all, UniqueFd& more);

} // namespace fencebridge
