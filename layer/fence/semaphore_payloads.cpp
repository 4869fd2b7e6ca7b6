#include "fence/semaphore_payloads.hpp"

#include "fence/sync_file.hpp"
#include "fence/temporary_payload.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace fencebridge {

bool export_payload(DeviceCalls calls, VkSemaphore semaphore, UniqueFd& payload) {
    const VkSemaphoreGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
        .semaphore = semaphore,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    int fd = -1;
    if (calls.next->GetSemaphoreFdKHR(calls.device, &info, &fd) != VK_SUCCESS) {
        return false;
    }
    payload = UniqueFd(fd);
    return true;
}

std::optional<Completion> take_payloads(DeviceCalls calls,
                                        std::span<const VkSemaphore> semaphores) {
    std::vector<UniqueFd> payloads(semaphores.size());
    for (size_t i = 0; i < semaphores.size(); ++i) {
        if (export_payload(calls, semaphores[i], payloads[i])) {
            continue;
        }
        for (size_t taken = 0; taken < i; ++taken) {
            if (import_into_semaphore(calls, semaphores[taken], payloads[taken]) != VK_SUCCESS) {
                // What cannot be given back is over before anybody waits for it: then a payload
                // that has signalled already says the same.
                wait_sync_file(payloads[taken].get(), std::chrono::milliseconds(-1));
                payloads[taken].reset();
                (void)import_into_semaphore(calls, semaphores[taken], payloads[taken]);
            }
        }
        return std::nullopt;
    }
    UniqueFd all;
    for (UniqueFd& payload : payloads) {
        if (payload && !merge_into(all, payload)) {
            // No descriptor left for the merged one.
            wait_sync_file(payload.get(), std::chrono::milliseconds(-1));
        }
    }
    if (!all) {
        return Completion{.state = Completion::State::Done, .sync_file = {}};
    }
    return Completion{.state = Completion::State::Pending, .sync_file = std::move(all)};
}

} // namespace fencebridge
