// VkDeviceMemory that is, or can become, a dma-buf, and the resources bound to it.
#pragma once

#include "dispatch/device.hpp"
#include "fence/dma_buf.hpp"
#include "handoff/striped_map.hpp"

#include <vulkan/vulkan_core.h>

#include <memory>
#include <mutex>
#include <vector>

namespace fencebridge {

/// One allocation that was imported from, or may be exported as, a dma-buf. Thread-safe.
class SharedMemory {
public:
    SharedMemory(const Device& device, VkDeviceMemory memory) : device_(device), memory_(memory) {}
    SharedMemory(const Device& device, VkDeviceMemory memory, std::shared_ptr<DmaBuf> imported)
        : device_(device), memory_(memory), dma_buf_(std::move(imported)) {}

    /// Its dma-buf. On first need the layer exports one for itself: nobody else may have it yet,
    /// but whoever gets it later finds the fence on it. Null where the export fails.
    std::shared_ptr<DmaBuf> dma_buf();

    /// The application exported it: `fd` (borrowed) is one of its descriptors.
    void exported_as(int fd);

private:
    const Device& device_;
    const VkDeviceMemory memory_;
    std::mutex mutex_;
    std::shared_ptr<DmaBuf> dma_buf_;
};

using SharedMemoryRef = std::shared_ptr<SharedMemory>;

/// Which memory is shared, and what is bound to it. Thread-safe by Vulkan's own rules for handles.
class SharedMemories {
public:
    explicit SharedMemories(const Device& device) : device_(device) {}

    /// vkAllocateMemory succeeded. `imported` is the dma-buf that `info` imports, or null.
    void allocated(const VkMemoryAllocateInfo& info, VkDeviceMemory memory,
                   std::shared_ptr<DmaBuf> imported);
    void freed(VkDeviceMemory memory) { memories_.erase(memory); }

    /// vkGetMemoryFdKHR(DMA_BUF) gave `fd` (borrowed) to the application.
    void exported(VkDeviceMemory memory, int fd);

    void bound(VkImage image, VkDeviceMemory memory) { bind(images_, image, memory); }
    void bound(VkBuffer buffer, VkDeviceMemory memory) { bind(buffers_, buffer, memory); }
    void destroyed(VkImage image) { images_.erase(image); }
    void destroyed(VkBuffer buffer) { buffers_.erase(buffer); }

    /// The shared memories under a resource: none for most, several for a disjoint image.
    std::vector<SharedMemoryRef> under(VkImage image) const { return lookup(images_, image); }
    std::vector<SharedMemoryRef> under(VkBuffer buffer) const { return lookup(buffers_, buffer); }

private:
    template<typename Handle>
    using Bindings = StripedMap<Handle, std::vector<SharedMemoryRef>>;

    template<typename Handle>
    void bind(Bindings<Handle>& bindings, Handle resource, VkDeviceMemory memory) {
        if (const auto shared = memories_.find(memory)) {
            bindings.update(resource, [&](auto& list) { list.push_back(*shared); });
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
};

/// The descriptor that `info` imports as a dma-buf (borrowed from the application), or -1.
int imported_dma_buf_fd(const VkMemoryAllocateInfo& info);

} // namespace fencebridge
