#include "handoff/shared_memory.hpp"

#include "dispatch/chain.hpp"
#include "report/log.hpp"

#include <cerrno>
#include <cstring>

namespace fencebridge {

const std::shared_ptr<DmaBuf>& SharedMemory::dma_buf() {
    if (is_dma_buf_made_.load(std::memory_order_acquire)) {
        return dma_buf_;
    }
    const std::lock_guard guard(mutex_);
    if (!dma_buf_ && !is_freed_) {
        const VkMemoryGetFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
            .memory = memory_,
            .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
        };
        int fd = -1;
        if (device_.next.GetMemoryFdKHR(device_.handle, &info, &fd) == VK_SUCCESS) {
            const UniqueFd owned(fd);
            dma_buf_ = DmaBuf::of(owned.get());
        }
    }
    if (!dma_buf_) {
        // Not the member, which another thread may be about to write.
        static const std::shared_ptr<DmaBuf> none;
        return none;
    }
    is_dma_buf_made_.store(true, std::memory_order_release);
    return dma_buf_;
}

void SharedMemory::exported_as(int fd) {
    const std::lock_guard guard(mutex_);
    if (!dma_buf_) {
        dma_buf_ = DmaBuf::of(fd);
        is_dma_buf_made_.store(dma_buf_ != nullptr, std::memory_order_release);
    }
    peer_may_hold_.store(true, std::memory_order_release);
}

void SharedMemories::allocated(const VkMemoryAllocateInfo& info, VkDeviceMemory memory,
                               std::shared_ptr<DmaBuf> imported) {
    if (imported) {
        memories_.insert(memory,
                         std::make_shared<SharedMemory>(device_, memory, std::move(imported)));
        return;
    }
    const auto* exportable = find_in_chain<VkExportMemoryAllocateInfo>(
        info.pNext, VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO);
    if (exportable != nullptr &&
        (exportable->handleTypes & VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) != 0) {
        memories_.insert(memory, std::make_shared<SharedMemory>(device_, memory));
    }
}

void SharedMemories::exported(VkDeviceMemory memory, int fd) {
    if (const auto shared = memories_.find(memory)) {
        (*shared)->exported_as(fd);
    }
}

void SharedMemories::bound(std::span<const VkBindSparseInfo> binds) {
    const auto each = [this](auto resource, const auto* first, uint32_t count) {
        for (const auto& bind : std::span(first, count)) {
            if (bind.memory != VK_NULL_HANDLE) {
                bound(resource, bind.memory);
            }
        }
    };
    for (const VkBindSparseInfo& info : binds) {
        for (const auto& buffer : std::span(info.pBufferBinds, info.bufferBindCount)) {
            each(buffer.buffer, buffer.pBinds, buffer.bindCount);
        }
        for (const auto& image : std::span(info.pImageOpaqueBinds, info.imageOpaqueBindCount)) {
            each(image.image, image.pBinds, image.bindCount);
        }
        for (const auto& image : std::span(info.pImageBinds, info.imageBindCount)) {
            each(image.image, image.pBinds, image.bindCount);
        }
    }
}

void SharedMemories::viewed(VkImageView view, VkImage image) {
    if (images_.visit(image, [](const auto& /*memories*/) {})) {
        views_.insert(view, image);
    }
}

void SharedMemories::framed(VkFramebuffer framebuffer, std::span<const VkImageView> views) {
    std::vector<VkImage> images;
    for (VkImageView view : views) {
        if (const VkImage image = image_of(view)) {
            images.push_back(image);
        }
    }
    if (!images.empty()) {
        framebuffers_.insert(framebuffer, std::move(images));
    }
}

int imported_dma_buf_fd(const VkMemoryAllocateInfo& info) {
    const auto* import = find_in_chain<VkImportMemoryFdInfoKHR>(
        info.pNext, VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR);
    if (import == nullptr || import->handleType != VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT) {
        return -1;
    }
    return import->fd;
}

} // namespace fencebridge
