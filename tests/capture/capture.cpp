#include "capture/capture.hpp"

#include "apps/channel.hpp"
#include "support/fd.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {

namespace {

constexpr auto dma_buf_type = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT;
constexpr VkImageSubresourceRange whole_image{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
constexpr VkImageSubresourceLayers whole_layer{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};

/// The copy is made band by band, with a fill of so much scratch memory before each: a copy of a
/// picture of many more pixels takes its time as well.
constexpr uint32_t band_count = 16;
constexpr uint32_t band_height = capture_height / band_count;
constexpr VkDeviceSize scratch_size = VkDeviceSize{8} << 20;

void check(VkResult result, const char* call) {
    if (result != VK_SUCCESS) {
        std::fprintf(stderr, "capture: %s returned %d\n", call, static_cast<int>(result));
        std::abort();
    }
}

/// What the loader keeps in every object that calls can be dispatched by.
template<typename Handle>
const void* loader_data(Handle handle) {
    return *reinterpret_cast<const void* const*>(handle);
}

VkImageMemoryBarrier image_barrier(VkImage image, VkImageLayout from, VkImageLayout to) {
    return {
        .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
        .oldLayout = from,
        .newLayout = to,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .image = image,
        .subresourceRange = whole_image,
    };
}

VkImageMemoryBarrier taken(VkImage image, uint32_t family, VkImageLayout from) {
    VkImageMemoryBarrier barrier = image_barrier(image, from, VK_IMAGE_LAYOUT_GENERAL);
    barrier.srcAccessMask = 0;
    barrier.dstAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.srcQueueFamilyIndex = VK_QUEUE_FAMILY_EXTERNAL;
    barrier.dstQueueFamilyIndex = family;
    return barrier;
}

VkImageMemoryBarrier given(VkImage image, uint32_t family) {
    VkImageMemoryBarrier barrier =
        image_barrier(image, VK_IMAGE_LAYOUT_GENERAL, VK_IMAGE_LAYOUT_GENERAL);
    barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
    barrier.dstAccessMask = 0;
    barrier.srcQueueFamilyIndex = family;
    barrier.dstQueueFamilyIndex = VK_QUEUE_FAMILY_EXTERNAL;
    return barrier;
}

constexpr VkMemoryBarrier everything{
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
    .dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
};

/// One call: the captured image's transfer of ownership stands among barriers that are none.
void barriers(const VkuDeviceDispatchTable& next, VkCommandBuffer commands,
              std::span<const VkImageMemoryBarrier> images) {
    next.CmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &everything, 0, nullptr,
                            static_cast<uint32_t>(images.size()), images.data());
}

/// The counters, in memory that a descriptor stands for.
Submits* share_submits(Fd& memory) {
    memory = Fd(::memfd_create("capture-submits", MFD_CLOEXEC));
    if (!memory || ::ftruncate(memory.get(), sizeof(Submits)) != 0) {
        std::perror("capture: memfd");
        std::abort();
    }
    void* const mapping =
        ::mmap(nullptr, sizeof(Submits), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    if (mapping == MAP_FAILED) {
        std::perror("capture: mmap");
        std::abort();
    }
    return new (mapping) Submits;
}

} // namespace

Capture::Capture(const CapturedDevice& device, int socket) : device_(device), next_(device.next) {
    // By the next layer's function: the loader, which sets its data in the queues that it gives
    // out, does not hear of this one. Nor is it set here.
    next_.GetDeviceQueue(device_.handle, device_.queue_family, device_.queue_index, &queue_);
    const VkCommandPoolCreateInfo pool_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
        .flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT,
        .queueFamilyIndex = device_.queue_family,
    };
    check(next_.CreateCommandPool(device_.handle, &pool_info, nullptr, &pool_),
          "vkCreateCommandPool");
    make_image();
    make_scratch();
    send_image(socket);

    const Slot& slot = slots_[image_] = make_slot();
    begin(slot);
    barriers(next_, slot.commands,
             std::array{taken(image_, device_.queue_family, VK_IMAGE_LAYOUT_UNDEFINED)});
    const VkClearColorValue black{};
    next_.CmdClearColorImage(slot.commands, image_, VK_IMAGE_LAYOUT_GENERAL, &black, 1,
                             &whole_image);
    barriers(next_, slot.commands, std::array{given(image_, device_.queue_family)});
    submit(slot, {}, false);
}

Capture::~Capture() {
    next_.DeviceWaitIdle(device_.handle);
    for (const auto& [presented, slot] : slots_) {
        next_.DestroyFence(device_.handle, slot.done, nullptr);
        next_.DestroySemaphore(device_.handle, slot.copied, nullptr);
    }
    next_.DestroyCommandPool(device_.handle, pool_, nullptr);
    next_.DestroyBuffer(device_.handle, scratch_, nullptr);
    next_.FreeMemory(device_.handle, scratch_memory_, nullptr);
    next_.DestroyImage(device_.handle, image_, nullptr);
    next_.FreeMemory(device_.handle, memory_, nullptr);
    std::fprintf(stderr, "capture: submits %u (on a queue without the loader's data %u)\n",
                 submits_->begun.load(), submits_on_bare_queue_);
    ::munmap(submits_, sizeof(Submits));
}

VkSemaphore Capture::copy(VkImage presented, std::span<const VkSemaphore> waits) {
    const auto [known, is_new] = slots_.try_emplace(presented);
    Slot& slot = known->second;
    if (is_new) {
        slot = make_slot();
    } else {
        check(next_.WaitForFences(device_.handle, 1, &slot.done, VK_TRUE, UINT64_MAX),
              "vkWaitForFences");
        check(next_.ResetFences(device_.handle, 1, &slot.done), "vkResetFences");
    }
    begin(slot);
    record_copy(slot, presented);
    submit(slot, waits, true);
    return slot.copied;
}

/// Linear and without a format modifier, for which there is an extension that nobody enabled.
void Capture::make_image() {
    const VkExternalMemoryImageCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .handleTypes = dma_buf_type,
    };
    const VkImageCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
        .pNext = &external,
        .imageType = VK_IMAGE_TYPE_2D,
        .format = VK_FORMAT_B8G8R8A8_UNORM,
        .extent = {capture_width, capture_height, 1},
        .mipLevels = 1,
        .arrayLayers = 1,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .tiling = VK_IMAGE_TILING_LINEAR,
        .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
    };
    check(next_.CreateImage(device_.handle, &info, nullptr, &image_), "vkCreateImage");
    VkMemoryRequirements needs{};
    next_.GetImageMemoryRequirements(device_.handle, image_, &needs);
    const VkMemoryDedicatedAllocateInfo dedicated{
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .image = image_,
    };
    const VkExportMemoryAllocateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .pNext = &dedicated,
        .handleTypes = dma_buf_type,
    };
    memory_ = allocate(needs, &exported);
    check(next_.BindImageMemory(device_.handle, image_, memory_, 0), "vkBindImageMemory");
}

void Capture::make_scratch() {
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = scratch_size,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    };
    check(next_.CreateBuffer(device_.handle, &info, nullptr, &scratch_), "vkCreateBuffer");
    VkMemoryRequirements needs{};
    next_.GetBufferMemoryRequirements(device_.handle, scratch_, &needs);
    scratch_memory_ = allocate(needs, nullptr);
    check(next_.BindBufferMemory(device_.handle, scratch_, scratch_memory_, 0),
          "vkBindBufferMemory");
}

VkDeviceMemory Capture::allocate(const VkMemoryRequirements& needs, const void* next) const {
    uint32_t type = 0;
    while ((needs.memoryTypeBits >> type & 1U) == 0) {
        ++type;
    }
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = next,
        .allocationSize = needs.size,
        .memoryTypeIndex = type,
    };
    VkDeviceMemory memory = VK_NULL_HANDLE;
    check(next_.AllocateMemory(device_.handle, &info, nullptr, &memory), "vkAllocateMemory");
    return memory;
}

/// Once for the device's whole life.
void Capture::send_image(int socket) {
    const VkImageSubresource subresource{.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT};
    VkSubresourceLayout layout{};
    next_.GetImageSubresourceLayout(device_.handle, image_, &subresource, &layout);
    const VkMemoryGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = memory_,
        .handleType = dma_buf_type,
    };
    int fd = -1;
    check(next_.GetMemoryFdKHR(device_.handle, &info, &fd), "vkGetMemoryFdKHR");
    const Fd dma_buf(fd);
    Fd counters;
    submits_ = share_submits(counters);
    const Exported message{static_cast<uint32_t>(layout.rowPitch),
                           static_cast<uint32_t>(layout.offset)};
    if (!send(socket, message, std::array{dma_buf.get(), counters.get()})) {
        std::fprintf(stderr, "capture: nobody listens\n");
        std::abort();
    }
}

Capture::Slot Capture::make_slot() const {
    Slot slot;
    const VkCommandBufferAllocateInfo commands_info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool_,
        .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
        .commandBufferCount = 1,
    };
    check(next_.AllocateCommandBuffers(device_.handle, &commands_info, &slot.commands),
          "vkAllocateCommandBuffers");
    check(device_.set_loader_data(device_.handle, slot.commands), "vkSetDeviceLoaderData");
    const VkFenceCreateInfo fence_info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    check(next_.CreateFence(device_.handle, &fence_info, nullptr, &slot.done), "vkCreateFence");
    const VkSemaphoreCreateInfo semaphore_info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    check(next_.CreateSemaphore(device_.handle, &semaphore_info, nullptr, &slot.copied),
          "vkCreateSemaphore");
    return slot;
}

void Capture::begin(const Slot& slot) const {
    const VkCommandBufferBeginInfo info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
    };
    check(next_.BeginCommandBuffer(slot.commands, &info), "vkBeginCommandBuffer");
}

void Capture::record_copy(const Slot& slot, VkImage presented) const {
    barriers(next_, slot.commands,
             std::array{image_barrier(presented, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR,
                                      VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL),
                        taken(image_, device_.queue_family, VK_IMAGE_LAYOUT_GENERAL)});
    for (uint32_t band = 0; band < band_count; ++band) {
        next_.CmdFillBuffer(slot.commands, scratch_, 0, VK_WHOLE_SIZE, band);
        full_barrier(slot.commands);
        const VkOffset3D place{0, static_cast<int32_t>(band * band_height), 0};
        const VkImageCopy region{
            .srcSubresource = whole_layer,
            .srcOffset = place,
            .dstSubresource = whole_layer,
            .dstOffset = place,
            .extent = {capture_width, band_height, 1},
        };
        next_.CmdCopyImage(slot.commands, presented, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, image_,
                           VK_IMAGE_LAYOUT_GENERAL, 1, &region);
        full_barrier(slot.commands);
    }
    barriers(next_, slot.commands,
             std::array{given(image_, device_.queue_family),
                        image_barrier(presented, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                                      VK_IMAGE_LAYOUT_PRESENT_SRC_KHR)});
}

void Capture::full_barrier(VkCommandBuffer commands) const {
    barriers(next_, commands, {});
}

void Capture::submit(const Slot& slot, std::span<const VkSemaphore> waits, bool signals) {
    check(next_.EndCommandBuffer(slot.commands), "vkEndCommandBuffer");
    const std::vector<VkPipelineStageFlags> stages(waits.size(),
                                                   VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .waitSemaphoreCount = static_cast<uint32_t>(waits.size()),
        .pWaitSemaphores = waits.data(),
        .pWaitDstStageMask = stages.data(),
        .commandBufferCount = 1,
        .pCommandBuffers = &slot.commands,
        .signalSemaphoreCount = signals ? 1U : 0U,
        .pSignalSemaphores = &slot.copied,
    };
    if (loader_data(queue_) != loader_data(device_.handle)) {
        ++submits_on_bare_queue_;
    }
    submits_->begun.fetch_add(1);
    check(next_.QueueSubmit(queue_, 1, &batch, slot.done), "vkQueueSubmit");
    submits_->returned.fetch_add(1);
}

} // namespace fencebridge::test
