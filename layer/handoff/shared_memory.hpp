// VkDeviceMemory that is, or can become, a dma-buf, and the resources bound to it.
#pragma once

#include "dispatch/device.hpp"
#include "fence/dma_buf.hpp"
#include "handoff/striped_map.hpp"

#include <vulkan/vulkan_core.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace fencebridge {

/// One allocation that was imported from, or may be exported as, a dma-buf. Thread-safe.
class SharedMemory {
public:
    SharedMemory(const Device& device, VkDeviceMemory memory) : device_(device), memory_(memory) {}
    SharedMemory(const Device& device, VkDeviceMemory memory, std::shared_ptr<DmaBuf> imported)
        : device_(device), memory_(memory), dma_buf_(std::move(imported)),
          is_dma_buf_made_(dma_buf_ != nullptr), peer_may_hold_(true) {}

    /// Its dma-buf. On first need the layer exports one for itself: nobody else may have it yet,
    /// but whoever gets it later finds the fence on it. Null where the export fails; once it is
    /// there it stays, and is found without a lock.
    const std::shared_ptr<DmaBuf>& dma_buf();

    /// The application exported it: `fd` (borrowed) is one of its descriptors.
    void exported_as(int fd);

    VkDeviceMemory handle() const { return memory_; }

    /// Whether anybody else may have a descriptor of it: it came from one, or the application was
    /// given one.
    bool peer_may_hold() const { return peer_may_hold_.load(std::memory_order_acquire); }

    /// Whether an ownership transfer of something on it was ever recorded: its application keeps to
    /// the rules, and nothing else of it counts as a hand-off any more.
    bool is_transferred() const { return is_transferred_.load(std::memory_order_relaxed); }
    void set_transferred() { is_transferred_.store(true, std::memory_order_relaxed); }

    /// Whether submitted work has written to it since it was last released: a release says what
    /// came right before it, which may be a read of what was written earlier. Its owner's submits
    /// only.
    bool is_written() const { return is_written_.load(std::memory_order_relaxed); }
    void set_written(bool written) { is_written_.store(written, std::memory_order_relaxed); }

    /// Whether it was acquired to be read only: a later write has the peers' readers still to wait
    /// for. Its owner's submits only.
    bool has_unawaited_readers() const {
        return has_unawaited_readers_.load(std::memory_order_relaxed);
    }
    void set_unawaited_readers(bool has) {
        has_unawaited_readers_.store(has, std::memory_order_relaxed);
    }

    /// vkFreeMemory: the driver is asked nothing about it any more.
    void freed() {
        const std::lock_guard guard(mutex_);
        is_freed_ = true;
    }

private:
    const Device& device_;
    const VkDeviceMemory memory_;
    std::mutex mutex_;
    std::shared_ptr<DmaBuf> dma_buf_; ///< written once, under the lock
    std::atomic<bool> is_dma_buf_made_ = false;
    std::atomic<bool> peer_may_hold_ = false;
    std::atomic<bool> is_transferred_ = false;
    std::atomic<bool> is_written_ = false;
    std::atomic<bool> has_unawaited_readers_ = false;
    bool is_freed_ = false;
};

using SharedMemoryRef = std::shared_ptr<SharedMemory>;

/// Which memory is shared, and what is bound to it. Thread-safe by Vulkan's own rules for handles.
class SharedMemories {
public:
    explicit SharedMemories(const Device& device) : device_(device) {}

    /// vkAllocateMemory succeeded. `imported` is the dma-buf that `info` imports, or null.
    void allocated(const VkMemoryAllocateInfo& info, VkDeviceMemory memory,
                   std::shared_ptr<DmaBuf> imported);
    void freed(VkDeviceMemory memory) {
        if (const auto shared = memories_.find(memory)) {
            (*shared)->freed();
            memories_.erase(memory);
        }
    }

    /// vkGetMemoryFdKHR(DMA_BUF) gave `fd` (borrowed) to the application.
    void exported(VkDeviceMemory memory, int fd);

    void bound(VkImage image, VkDeviceMemory memory) { bind(images_, image, memory); }
    void bound(VkBuffer buffer, VkDeviceMemory memory) { bind(buffers_, buffer, memory); }
    /// Resources that get memory page by page.
    void bound(std::span<const VkBindSparseInfo> binds);
    void destroyed(VkImage image) { images_.erase(image); }
    void destroyed(VkBuffer buffer) { buffers_.erase(buffer); }

    /// A view of an image, a framebuffer of views. Only those of images on shared memory are kept.
    void viewed(VkImageView view, VkImage image);
    void framed(VkFramebuffer framebuffer, std::span<const VkImageView> views);
    void destroyed(VkImageView view) { views_.erase(view); }
    void destroyed(VkFramebuffer framebuffer) { framebuffers_.erase(framebuffer); }

    /// False as long as the application shares nothing: nothing else need be asked.
    bool any() const { return memories_.size() != 0; }

    /// Calls `look` on every shared memory.
    template<typename Look>
    void each(Look&& look) const {
        memories_.each(std::forward<Look>(look));
    }

    /// The shared memories under a resource: none for most, several for a disjoint image.
    std::vector<SharedMemoryRef> under(VkImage image) const { return lookup(images_, image); }
    std::vector<SharedMemoryRef> under(VkBuffer buffer) const { return lookup(buffers_, buffer); }

    /// The images on shared memory that a view or a framebuffer shows.
    VkImage image_of(VkImageView view) const {
        return views_.find(view).value_or(VkImage{VK_NULL_HANDLE});
    }
    std::vector<VkImage> images_of(VkFramebuffer framebuffer) const {
        return framebuffers_.find(framebuffer).value_or(std::vector<VkImage>{});
    }

    /// Null where it is not shared.
    SharedMemoryRef find(VkDeviceMemory memory) const {
        return memories_.find(memory).value_or(nullptr);
    }

private:
    template<typename Handle>
    using Bindings = StripedMap<Handle, std::vector<SharedMemoryRef>>;

    template<typename Handle>
    void bind(Bindings<Handle>& bindings, Handle resource, VkDeviceMemory memory) {
        if (const auto shared = memories_.find(memory)) {
            bindings.update(resource, [&](auto& list) {
                if (std::find(list.begin(), list.end(), *shared) == list.end()) {
                    list.push_back(*shared);
                }
            });
        }
    }
    template<typename Handle>
    static std::vector<SharedMemoryRef> lookup(const Bindings<Handle>& bindings, Handle resource) {
        return bindings.find(resource).value_or(std::vector<SharedMemoryRef>{});
    }

    const Device& device_;
    StripedMap<VkDeviceMemory, SharedMemoryRef> memories_;
    Bindings<VkImage> images_;
    Bindings<VkBuffer> buffers_;
    StripedMap<VkImageView, VkImage> views_;
    StripedMap<VkFramebuffer, std::vector<VkImage>> framebuffers_;
};

/// The descriptor that `info` imports as a dma-buf (borrowed from the application), or -1.
int imported_dma_buf_fd(const VkMemoryAllocateInfo& info);

} // namespace fencebridge
