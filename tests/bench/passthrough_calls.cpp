#include "bench/passthrough_calls.hpp"

#include <chrono>
#include <type_traits>
#include <utility>

namespace fencebridge::test {

namespace {

constexpr Extent small{16, 16};

const VkImageCreateInfo image_info{
    .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
    .imageType = VK_IMAGE_TYPE_2D,
    .format = VK_FORMAT_B8G8R8A8_UNORM,
    .extent = {16, 16, 1},
    .mipLevels = 1,
    .arrayLayers = 1,
    .samples = VK_SAMPLE_COUNT_1_BIT,
    .tiling = VK_IMAGE_TILING_OPTIMAL,
    .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
};

// What the calls make, to be destroyed afterwards.
std::vector<VkDeviceMemory> memories;
std::vector<VkImage> images;
uint32_t image_index = 0;

void nothing(Caller& /*caller*/, uint32_t /*count*/) {}

void idle(Caller& caller, uint32_t /*count*/) {
    FB_VK(vkQueueWaitIdle(caller.context->queue));
}

// With no batch a driver does next to nothing: what a layer adds can be seen.
void submit_nothing(Caller& caller, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.queue_submit(caller.context->queue, 0, nullptr, VK_NULL_HANDLE);
    }
}
void submit_2_nothing(Caller& caller, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.queue_submit_2(caller.context->queue, 0, nullptr, VK_NULL_HANDLE);
    }
}

void submit_work(Caller& caller, uint32_t count) {
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .commandBufferCount = 1,
        .pCommandBuffers = &caller.work.handle,
    };
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.queue_submit(caller.context->queue, 1, &batch, VK_NULL_HANDLE);
    }
}
void submit_2_work(Caller& caller, uint32_t count) {
    const VkCommandBufferSubmitInfo commands{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
        .commandBuffer = caller.work.handle,
    };
    const VkSubmitInfo2 batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &commands,
    };
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.queue_submit_2(caller.context->queue, 1, &batch, VK_NULL_HANDLE);
    }
}

void begin(Caller& caller, uint32_t /*count*/) {
    caller.scratch.begin();
}
void end(Caller& caller, uint32_t /*count*/) {
    caller.scratch.end();
    FB_VK(vkResetCommandBuffer(caller.scratch.handle, 0));
}
constexpr VkMemoryBarrier memory_barrier{
    .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
    .pNext = nullptr,
    .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
    .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
};
void barriers(Caller& caller, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.pipeline_barrier(caller.scratch.handle, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                     VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 1, &memory_barrier, 0,
                                     nullptr, 0, nullptr);
    }
}
void barriers_2(Caller& caller, uint32_t count) {
    const VkMemoryBarrier2 barrier{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_TRANSFER_BIT,
        .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_TRANSFER_BIT,
        .dstAccessMask = VK_ACCESS_2_TRANSFER_READ_BIT,
    };
    const VkDependencyInfo info{
        .sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
        .memoryBarrierCount = 1,
        .pMemoryBarriers = &barrier,
    };
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.pipeline_barrier_2(caller.scratch.handle, &info);
    }
}
// Recorded and never submitted: no pipeline is bound.
void draws(Caller& caller, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        caller.call.draw(caller.scratch.handle, 3, 1, 0, 0);
    }
}

void room_for_memories(Caller& /*caller*/, uint32_t count) {
    memories.assign(count, VK_NULL_HANDLE);
}
void allocate(Caller& caller, uint32_t count) {
    const VkMemoryAllocateInfo info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .allocationSize = 4096,
    };
    for (uint32_t i = 0; i < count; ++i) {
        FB_VK(caller.call.allocate_memory(caller.context->device, &info, nullptr, &memories[i]));
    }
}
void free_memories(Caller& caller, uint32_t /*count*/) {
    for (const VkDeviceMemory memory : memories) {
        caller.call.free_memory(caller.context->device, memory, nullptr);
    }
}

void room_for_images(Caller& /*caller*/, uint32_t count) {
    images.assign(count, VK_NULL_HANDLE);
}
void create_images(Caller& caller, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        FB_VK(caller.call.create_image(caller.context->device, &image_info, nullptr, &images[i]));
    }
}
void destroy_images(Caller& caller, uint32_t /*count*/) {
    for (const VkImage image : images) {
        caller.call.destroy_image(caller.context->device, image, nullptr);
    }
}

void acquire_image(Caller& caller, uint32_t /*count*/) {
    image_index = caller.swapchain->acquire();
    caller.scratch.begin();
    caller.scratch.change_layout(caller.swapchain->images.at(image_index),
                                 VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
    caller.scratch.end();
    FB_VK(submit(caller.context->queue, caller.scratch, VK_NULL_HANDLE,
                 {.signal = caller.swapchain->drawn(image_index)}));
    FB_VK(vkQueueWaitIdle(caller.context->queue));
}
void present(Caller& caller, uint32_t /*count*/) {
    const VkSemaphore drawn = caller.swapchain->drawn(image_index);
    const VkPresentInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .waitSemaphoreCount = 1,
        .pWaitSemaphores = &drawn,
        .swapchainCount = 1,
        .pSwapchains = &caller.swapchain->handle,
        .pImageIndices = &image_index,
    };
    FB_VK(caller.call.queue_present(caller.context->queue, &info));
}

} // namespace

const std::vector<MeasuredCall>& measured_calls() {
    static const std::vector<MeasuredCall> all = {
        {"vkQueueSubmit", 1000, nothing, submit_nothing, idle},
        {"vkQueueSubmit2", 1000, nothing, submit_2_nothing, idle},
        {"vkQueueSubmit_work", 100, idle, submit_work, idle},
        {"vkQueueSubmit2_work", 100, idle, submit_2_work, idle},
        {"vkQueuePresentKHR", 1, acquire_image, present, idle},
        {"vkCmdPipelineBarrier", 1000, begin, barriers, end},
        {"vkCmdPipelineBarrier2", 1000, begin, barriers_2, end},
        {"vkCmdDraw", 1000, begin, draws, end},
        {"vkAllocateMemory", 100, room_for_memories, allocate, free_memories},
        {"vkCreateImage", 100, room_for_images, create_images, destroy_images},
    };
    return all;
}

double ns_of(const MeasuredCall& call, Caller& caller) {
    call.before(caller, call.count);
    const auto start = std::chrono::steady_clock::now();
    call.run(caller, call.count);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
    call.after(caller, call.count);
    return took.count() / call.count;
}

Caller::Caller(std::unique_ptr<VulkanContext> its_context, bool is_sharing, uint32_t resources)
    : context(std::move(its_context)), work(*context), scratch(*context), hand_off_(*context) {
    const auto get = [this](auto& target, const char* name) {
        target = context->function<std::remove_reference_t<decltype(target)>>(name);
    };
    get(call.queue_submit, "vkQueueSubmit");
    get(call.queue_submit_2, "vkQueueSubmit2");
    get(call.queue_present, "vkQueuePresentKHR");
    get(call.pipeline_barrier, "vkCmdPipelineBarrier");
    get(call.pipeline_barrier_2, "vkCmdPipelineBarrier2");
    get(call.draw, "vkCmdDraw");
    get(call.allocate_memory, "vkAllocateMemory");
    get(call.free_memory, "vkFreeMemory");
    get(call.create_image, "vkCreateImage");
    get(call.destroy_image, "vkDestroyImage");
    work.begin(VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    work.end();
    swapchain =
        std::make_unique<HeadlessSwapchain>(*context, small, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    if (is_sharing) {
        share(resources);
    }
}

Caller::~Caller() {
    vkDeviceWaitIdle(context->device);
    swapchain.reset();
    for (const VkBuffer buffer : resources_) {
        vkDestroyBuffer(context->device, buffer, nullptr);
    }
    vkFreeMemory(context->device, shared_, nullptr);
}

void Caller::record_barriers(uint32_t count, bool of_shared) const {
    const VkBufferMemoryBarrier buffer_barrier{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .buffer = resources_.front(),
        .size = VK_WHOLE_SIZE,
    };
    for (uint32_t i = 0; i < count; ++i) {
        call.pipeline_barrier(scratch.handle, VK_PIPELINE_STAGE_TRANSFER_BIT,
                              VK_PIPELINE_STAGE_TRANSFER_BIT, 0, of_shared ? 0 : 1, &memory_barrier,
                              of_shared ? 1 : 0, &buffer_barrier, 0, nullptr);
    }
}

void Caller::share(uint32_t resources) {
    const VkExternalMemoryBufferCreateInfo external{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    const VkBufferCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .pNext = &external,
        .size = 256,
        .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
    };
    const VkExportMemoryAllocateInfo exported{
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    for (uint32_t i = 0; i < resources; ++i) {
        FB_VK(vkCreateBuffer(context->device, &info, nullptr, &resources_.emplace_back()));
        if (i == 0) {
            VkMemoryRequirements needed{};
            vkGetBufferMemoryRequirements(context->device, resources_.front(), &needed);
            const VkMemoryAllocateInfo allocation{
                .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                .pNext = &exported,
                .allocationSize = needed.size,
                .memoryTypeIndex = context->memory_type(needed.memoryTypeBits, 0),
            };
            FB_VK(vkAllocateMemory(context->device, &allocation, nullptr, &shared_));
        }
        // All in one place: nothing is ever drawn.
        FB_VK(vkBindBufferMemory(context->device, resources_.back(), shared_, 0));
    }
    const VkBufferMemoryBarrier release{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
        .srcQueueFamilyIndex = 0,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_EXTERNAL,
        .buffer = resources_.front(),
        .size = VK_WHOLE_SIZE,
    };
    hand_off_.begin();
    vkCmdPipelineBarrier(hand_off_.handle, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, 0, 0, nullptr, 1, &release, 0,
                         nullptr);
    hand_off_.end();
}

} // namespace fencebridge::test
