#include "fence/temporary_payload.hpp"

namespace fencebridge {

namespace {

VkResult keep_unless_taken(VkResult result, UniqueFd& sync_file) {
    if (result == VK_SUCCESS) {
        (void)sync_file.release();
    }
    return result;
}

} // namespace

VkResult import_into_semaphore(DeviceCalls calls, VkSemaphore semaphore, UniqueFd& sync_file) {
    const VkImportSemaphoreFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
        .semaphore = semaphore,
        .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = sync_file.get(),
    };
    return keep_unless_taken(calls.next->ImportSemaphoreFdKHR(calls.device, &info), sync_file);
}

VkResult import_into_fence(DeviceCalls calls, VkFence fence, UniqueFd& sync_file) {
    const VkImportFenceFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
        .fence = fence,
        .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = sync_file.get(),
    };
    return keep_unless_taken(calls.next->ImportFenceFdKHR(calls.device, &info), sync_file);
}

} // namespace fencebridge
