// Acquire by import: binary semaphores whose temporary payload is a peer's sync_file.
#pragma once

#include "fence/device_calls.hpp"
#include "fence/handle_pool.hpp"
#include "fence/unique_fd.hpp"

#include <cstdint>
#include <deque>

namespace fencebridge {

/// The pool of one queue. A semaphore may be imported into again only when the batch that waited
/// on it has completed (VUID-vkImportSemaphoreFdKHR-semaphore-01142), so what is in flight is kept
/// by the number of its submit until a completion of that submit, or of a later one on the same
/// queue, was seen: signal operations cover everything submitted before them.
/// Not thread-safe; the owner serialises calls.
class WaitSemaphores {
public:
    explicit WaitSemaphores(DeviceCalls calls) : calls_(calls) {}
    ~WaitSemaphores();
    WaitSemaphores(const WaitSemaphores&) = delete;
    WaitSemaphores& operator=(const WaitSemaphores&) = delete;

    /// A semaphore that carries `sync_file` as its temporary payload, to be waited on by one batch.
    /// Null where the driver refuses; `sync_file` is then still the caller's, else it is taken.
    VkSemaphore import(UniqueFd& sync_file);

    /// The batch that waits on it was submitted, as submit number `submit`.
    void submitted(VkSemaphore semaphore, uint64_t submit);

    /// It was not: its payload is still there, so it cannot be used again.
    void discard(VkSemaphore semaphore);

    /// `sync_file` (borrowed) signals when submit number `submit` has completed.
    void completes_with(uint64_t submit, const UniqueFd& sync_file);

    /// Everything up to submit number `submit` has completed.
    void completed(uint64_t submit);

    /// More is in flight than a completion was promised for: the next submit should bring one.
    bool wants_completion() const;

private:
    struct InFlight {
        VkSemaphore semaphore;
        uint64_t submit;
    };
    struct Promise {
        UniqueFd sync_file;
        uint64_t submit;
    };

    void retire();

    DeviceCalls calls_;
    HandlePool<VkSemaphore> semaphores_;
    std::deque<InFlight> in_flight_;
    std::deque<Promise> promises_;
};

} // namespace fencebridge
