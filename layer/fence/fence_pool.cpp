#include "fence/fence_pool.hpp"

namespace fencebridge {

FencePool::~FencePool() {
    for (VkFence fence : fences_.all()) {
        calls_.next->DestroyFence(calls_.device, fence, nullptr);
    }
}

VkFence FencePool::take() {
    if (const VkFence idle = fences_.take()) {
        return idle;
    }
    fences_.make_room();
    const VkExportFenceCreateInfo exportable{
        .sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    const VkFenceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
        .pNext = kind_ == Kind::SyncFdExportable ? &exportable : nullptr,
    };
    VkFence fence = VK_NULL_HANDLE;
    if (calls_.next->CreateFence(calls_.device, &info, nullptr, &fence) != VK_SUCCESS) {
        return VK_NULL_HANDLE;
    }
    fences_.made(fence);
    return fence;
}

} // namespace fencebridge
