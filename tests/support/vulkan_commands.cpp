#include "support/vulkan_commands.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace fencebridge::test {

namespace {

constexpr VkDeviceSize scratch_size = VkDeviceSize{32} << 20;
constexpr VkImageSubresourceLayers whole_layer{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};

} // namespace

CommandBuffer::CommandBuffer(const VulkanContext& context, Commands its_generation,
                             VkCommandBufferLevel level, VkCommandPool pool)
    : generation(its_generation), context_(context),
      pool_(pool != VK_NULL_HANDLE ? pool : context.pool) {
    const VkCommandBufferAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool_,
        .level = level,
        .commandBufferCount = 1,
    };
    FB_VK(vkAllocateCommandBuffers(context.device, &info, &handle));
}

CommandBuffer::~CommandBuffer() {
    vkFreeCommandBuffers(context_.device, pool_, 1, &handle);
}

void CommandBuffer::begin(VkCommandBufferUsageFlags flags) {
    const VkCommandBufferInheritanceInfo outside_of_render_passes{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
    };
    const VkCommandBufferBeginInfo info{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .flags = flags,
        .pInheritanceInfo = &outside_of_render_passes,
    };
    FB_VK(vkBeginCommandBuffer(handle, &info));
}

void CommandBuffer::end() {
    FB_VK(vkEndCommandBuffer(handle));
}

void CommandBuffer::execute(const CommandBuffer& secondary) {
    vkCmdExecuteCommands(handle, 1, &secondary.handle);
}

void CommandBuffer::acquire(const SharedBuffer& shared, uint32_t family, VkAccessFlags access,
                            bool discard) {
    record({.buffer = shared.buffer,
            .image = shared.image,
            .from_family = family,
            .to_family = 0,
            .after = access,
            .from_layout = discard ? VK_IMAGE_LAYOUT_UNDEFINED : VK_IMAGE_LAYOUT_GENERAL});
}

void CommandBuffer::release(const SharedBuffer& shared, uint32_t family, VkAccessFlags access) {
    record({.buffer = shared.buffer,
            .image = shared.image,
            .from_family = 0,
            .to_family = family,
            .before = access});
}

void CommandBuffer::change_layout(VkImage image, VkImageLayout from, VkImageLayout to) {
    record({.image = image,
            .before = VK_ACCESS_MEMORY_WRITE_BIT,
            .after = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
            .from_layout = from,
            .to_layout = to});
}

/// A structure of either generation and kind: what two of them have, they call by the same name.
template<typename Made>
Made CommandBuffer::made_of(VkStructureType type, const Barrier& barrier) {
    Made made{};
    made.sType = type;
    made.srcAccessMask = barrier.before;
    made.dstAccessMask = barrier.after;
    made.srcQueueFamilyIndex = barrier.from_family;
    made.dstQueueFamilyIndex = barrier.to_family;
    if constexpr (requires { made.srcStageMask; }) {
        made.srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
        made.dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT;
    }
    if constexpr (requires { made.image; }) {
        made.oldLayout = barrier.from_layout;
        made.newLayout = barrier.to_layout;
        made.image = barrier.image;
        made.subresourceRange = whole_image;
    } else {
        made.buffer = barrier.buffer;
        made.size = VK_WHOLE_SIZE;
    }
    return made;
}

void CommandBuffer::record(const Barrier& barrier) {
    const uint32_t buffers = barrier.buffer != VK_NULL_HANDLE ? 1 : 0;
    const uint32_t images = barrier.image != VK_NULL_HANDLE ? 1 : 0;
    if (generation == Commands::Vulkan10) {
        const auto buffer =
            made_of<VkBufferMemoryBarrier>(VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER, barrier);
        const auto image =
            made_of<VkImageMemoryBarrier>(VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER, barrier);
        vkCmdPipelineBarrier(handle, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                             VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, buffers, &buffer,
                             images, &image);
        return;
    }
    const auto buffer =
        made_of<VkBufferMemoryBarrier2>(VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2, barrier);
    const auto image =
        made_of<VkImageMemoryBarrier2>(VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER_2, barrier);
    const VkDependencyInfo dependency{
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
        .bufferMemoryBarrierCount = buffers,
        .pBufferMemoryBarriers = &buffer,
        .imageMemoryBarrierCount = images,
        .pImageMemoryBarriers = &image,
    };
    vkCmdPipelineBarrier2(handle, &dependency);
}

void CommandBuffer::fill(const SharedBuffer& shared, uint32_t value) {
    full_barrier();
    if (shared.kind == SharedBuffer::Kind::Buffer) {
        vkCmdFillBuffer(handle, shared.buffer, 0, VK_WHOLE_SIZE, value);
        return;
    }
    const VkClearColorValue colour = colour_of(value);
    vkCmdClearColorImage(handle, shared.image, VK_IMAGE_LAYOUT_GENERAL, &colour, 1, &whole_image);
}

void CommandBuffer::copy_first_word(const SharedBuffer& shared, const Buffer& target) {
    if (shared.kind == SharedBuffer::Kind::Buffer) {
        const VkBufferCopy region{.size = 4};
        vkCmdCopyBuffer(handle, shared.buffer, target.buffer, 1, &region);
        return;
    }
    const VkBufferImageCopy region{
        .imageSubresource = whole_layer,
        .imageExtent = {1, 1, 1},
    };
    vkCmdCopyImageToBuffer(handle, shared.image, VK_IMAGE_LAYOUT_GENERAL, target.buffer, 1,
                           &region);
}

void CommandBuffer::full_barrier() {
    const VkMemoryBarrier barrier{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
        .dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_MEMORY_READ_BIT,
    };
    vkCmdPipelineBarrier(handle, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &barrier, 0, nullptr, 0,
                         nullptr);
}

LongWork::LongWork(const VulkanContext& context)
    : context_(context), scratch_(std::make_unique<Buffer>(context, scratch_size, 0)) {
    CommandBuffer commands(context);
    Fence fence(context);
    constexpr int fills = 4;
    commands.begin();
    for (int i = 0; i < fills; ++i) {
        vkCmdFillBuffer(commands.handle, scratch_->buffer, 0, VK_WHOLE_SIZE, 1);
        commands.full_barrier();
    }
    commands.end();
    // The first run touches the memory for the first time. Of the others, also of those before
    // other work of this process (there is one device), the quickest counts: one that something
    // else has slowed down would make the work too short later.
    static double quickest = std::numeric_limits<double>::max();
    const int runs = quickest == std::numeric_limits<double>::max() ? 5 : 2;
    for (int run = 0; run < runs; ++run) {
        const auto start = std::chrono::steady_clock::now();
        FB_VK(submit(context.queue, commands, fence.handle));
        FB_VK(fence.wait());
        fence.reset();
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - start;
        if (run > 0) {
            quickest = std::min(quickest, took.count() / fills);
        }
    }
    milliseconds_per_fill_ = std::max(quickest, 0.05);
}

void LongWork::record(CommandBuffer& commands, std::chrono::milliseconds duration) const {
    const int fills = std::max(1, static_cast<int>(std::ceil(static_cast<double>(duration.count()) /
                                                             milliseconds_per_fill_)));
    for (int i = 0; i < fills; ++i) {
        vkCmdFillBuffer(commands.handle, scratch_->buffer, 0, VK_WHOLE_SIZE,
                        static_cast<uint32_t>(i));
        commands.full_barrier();
    }
}

VkResult submit(VkQueue queue, const CommandBuffer& commands, VkFence fence,
                const SubmitSemaphores& semaphores) {
    const uint32_t waits = semaphores.wait != VK_NULL_HANDLE ? 1 : 0;
    const uint32_t signals = semaphores.signal != VK_NULL_HANDLE ? 1 : 0;
    if (commands.generation == Commands::Vulkan10) {
        const VkPipelineStageFlags all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
        const VkTimelineSemaphoreSubmitInfo values{
            .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
            .waitSemaphoreValueCount = waits,
            .pWaitSemaphoreValues = &semaphores.wait_value,
            .signalSemaphoreValueCount = signals,
            .pSignalSemaphoreValues = &semaphores.signal_value,
        };
        const VkSubmitInfo batch{
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
            .pNext = semaphores.timelines ? &values : nullptr,
            .waitSemaphoreCount = waits,
            .pWaitSemaphores = &semaphores.wait,
            .pWaitDstStageMask = &all,
            .commandBufferCount = 1,
            .pCommandBuffers = &commands.handle,
            .signalSemaphoreCount = signals,
            .pSignalSemaphores = &semaphores.signal,
        };
        return vkQueueSubmit(queue, 1, &batch, fence);
    }
    const auto point = [](VkSemaphore semaphore, uint64_t value) {
        return VkSemaphoreSubmitInfo{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
            .semaphore = semaphore,
            .value = value,
            .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        };
    };
    const VkSemaphoreSubmitInfo wait = point(semaphores.wait, semaphores.wait_value);
    const VkSemaphoreSubmitInfo signal = point(semaphores.signal, semaphores.signal_value);
    const VkCommandBufferSubmitInfo command_buffer{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
        .commandBuffer = commands.handle,
    };
    const VkSubmitInfo2 batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .waitSemaphoreInfoCount = waits,
        .pWaitSemaphoreInfos = &wait,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &command_buffer,
        .signalSemaphoreInfoCount = signals,
        .pSignalSemaphoreInfos = &signal,
    };
    return vkQueueSubmit2(queue, 1, &batch, fence);
}

Semaphore::Semaphore(const VulkanContext& context) : context_(context) {
    const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    FB_VK(vkCreateSemaphore(context.device, &info, nullptr, &handle));
}

Semaphore::~Semaphore() {
    vkDestroySemaphore(context_.device, handle, nullptr);
}

Fence::Fence(const VulkanContext& context) : context_(context) {
    const VkFenceCreateInfo info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    FB_VK(vkCreateFence(context.device, &info, nullptr, &handle));
}

Fence::~Fence() {
    vkDestroyFence(context_.device, handle, nullptr);
}

VkResult Fence::wait(std::chrono::nanoseconds timeout) const {
    return vkWaitForFences(context_.device, 1, &handle, VK_TRUE,
                           static_cast<uint64_t>(timeout.count()));
}

VkResult Fence::status() const {
    return vkGetFenceStatus(context_.device, handle);
}

void Fence::reset() const {
    FB_VK(vkResetFences(context_.device, 1, &handle));
}

} // namespace fencebridge::test
