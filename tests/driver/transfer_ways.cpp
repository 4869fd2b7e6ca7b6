#include "driver/ways.hpp"

#include <vulkan/vulkan.h>

#include <array>

namespace fencebridge::test {

namespace {

constexpr uint32_t foreign = VK_QUEUE_FAMILY_FOREIGN_EXT;

SharedBuffer& secondary(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    CommandBuffer& inner = scene.commands(Commands::Vulkan10, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
    record_frame(inner, scene.work, shared);
    CommandBuffer& outer = scene.commands();
    outer.begin();
    outer.execute(inner);
    outer.end();
    FB_VK(submit(scene.context.queue, outer));
    return shared;
}

SharedBuffer& release_in_second_secondary(Scene& scene) {
    SharedBuffer& shared = scene.shared(SharedBuffer::Kind::Image);
    CommandBuffer& outer = scene.commands();
    outer.begin();
    record_write(outer, scene.work, shared);
    for (const bool releases : {false, true}) {
        CommandBuffer& inner =
            scene.commands(Commands::Synchronization2, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
        inner.begin();
        if (releases) {
            inner.release(shared, foreign, write_access);
        }
        inner.end();
        outer.execute(inner);
    }
    outer.end();
    FB_VK(submit(scene.context.queue, outer));
    return shared;
}

/// A transfer between a memory barrier, and barriers of resources that nobody shares.
SharedBuffer& among_other_barriers(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    const Buffer& own =
        scene.keep<Buffer>(scene.context, VkDeviceSize{64}, VkMemoryPropertyFlags{0});
    CommandBuffer& commands = scene.commands();
    commands.begin();
    record_write(commands, scene.work, shared);
    const VkMemoryBarrier everything{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_MEMORY_READ_BIT,
    };
    std::array<VkBufferMemoryBarrier, 3> barriers{};
    for (VkBufferMemoryBarrier& barrier : barriers) {
        barrier = {
            .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
            .srcAccessMask = write_access,
            .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
            .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
            .buffer = own.buffer,
            .size = VK_WHOLE_SIZE,
        };
    }
    barriers[1].srcQueueFamilyIndex = 0;
    barriers[1].dstQueueFamilyIndex = VK_QUEUE_FAMILY_EXTERNAL;
    barriers[1].buffer = shared.buffer;
    vkCmdPipelineBarrier(commands.handle, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 1, &everything, barriers.size(),
                         barriers.data(), 0, nullptr);
    commands.end();
    FB_VK(submit(scene.context.queue, commands));
    return shared;
}

/// Written, then read by ourselves; the release names the reading alone, which is right: a barrier
/// in between has made the writes available.
SharedBuffer& read_after_the_write(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    const Buffer& read_back =
        scene.keep<Buffer>(scene.context, VkDeviceSize{64},
                           VkMemoryPropertyFlags{VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT});
    CommandBuffer& commands = scene.commands();
    commands.begin();
    record_write(commands, scene.work, shared);
    const VkBufferMemoryBarrier available{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_TRANSFER_READ_BIT,
        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
        .buffer = shared.buffer,
        .size = VK_WHOLE_SIZE,
    };
    vkCmdPipelineBarrier(commands.handle, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_TRANSFER_BIT, 0, 0, nullptr, 1, &available, 0, nullptr);
    commands.copy_first_word(shared, read_back);
    commands.release(shared, foreign, VK_ACCESS_TRANSFER_READ_BIT);
    commands.end();
    FB_VK(submit(scene.context.queue, commands));
    return shared;
}

/// Three batches, the release in the middle one.
template<typename Batch, typename Submit>
SharedBuffer& in_second_batch(Scene& scene, Submit&& submit_all) {
    SharedBuffer& shared = scene.shared();
    std::array<VkCommandBuffer, 3> buffers{};
    for (size_t i = 0; i < buffers.size(); ++i) {
        CommandBuffer& commands = scene.commands();
        commands.begin();
        if (i == 0) {
            record_write(commands, scene.work, shared);
        } else if (i == 1) {
            commands.release(shared, foreign, write_access);
        }
        commands.end();
        buffers.at(i) = commands.handle;
    }
    submit_all(buffers);
    return shared;
}

SharedBuffer& second_batch_of_submit(Scene& scene) {
    return in_second_batch<VkSubmitInfo>(scene, [&](const auto& buffers) {
        std::array<VkSubmitInfo, 3> batches{};
        for (size_t i = 0; i < buffers.size(); ++i) {
            batches.at(i) = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                             .commandBufferCount = 1,
                             .pCommandBuffers = &buffers.at(i)};
        }
        FB_VK(vkQueueSubmit(scene.context.queue, batches.size(), batches.data(), VK_NULL_HANDLE));
    });
}

SharedBuffer& second_batch_of_submit2(Scene& scene) {
    return in_second_batch<VkSubmitInfo2>(scene, [&](const auto& buffers) {
        std::array<VkCommandBufferSubmitInfo, 3> infos{};
        std::array<VkSubmitInfo2, 3> batches{};
        for (size_t i = 0; i < buffers.size(); ++i) {
            infos.at(i) = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
                           .commandBuffer = buffers.at(i)};
            batches.at(i) = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                             .commandBufferInfoCount = 1,
                             .pCommandBufferInfos = &infos.at(i)};
        }
        FB_VK(vkQueueSubmit2(scene.context.queue, batches.size(), batches.data(), VK_NULL_HANDLE));
    });
}

/// Out, back and out again within one submit.
SharedBuffer& twice_in_one_submit(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    std::array<VkCommandBuffer, 2> buffers{};
    for (VkCommandBuffer& handle : buffers) {
        CommandBuffer& commands = scene.commands();
        record_frame(commands, scene.work, shared);
        handle = commands.handle;
    }
    const VkSubmitInfo batch{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                             .commandBufferCount = buffers.size(),
                             .pCommandBuffers = buffers.data()};
    FB_VK(vkQueueSubmit(scene.context.queue, 1, &batch, VK_NULL_HANDLE));
    return shared;
}

/// A submit repeats what its command buffer has recorded, as often as it is made.
SharedBuffer& submitted_again(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    CommandBuffer& commands = scene.commands();
    record_frame(commands, scene.work, shared, foreign,
                 VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT);
    FB_VK(submit(scene.context.queue, commands));
    FB_VK(vkQueueWaitIdle(scene.context.queue));
    shared.fill_on_cpu(old_value);
    FB_VK(submit(scene.context.queue, commands));
    return shared;
}

SharedBuffer& recorded_again(Scene& scene) {
    SharedBuffer& other = scene.shared();
    SharedBuffer& shared = scene.shared();
    CommandBuffer& commands = scene.commands();
    commands.begin();
    commands.release(other, foreign, write_access);
    commands.end();
    FB_VK(vkResetCommandBuffer(commands.handle, 0));
    record_frame(commands, scene.work, shared);
    FB_VK(submit(scene.context.queue, commands));
    EXPECT_TRUE(is_ready(other.dma_buf, POLLOUT)) << "a release that is no longer recorded";
    return shared;
}

/// vkCmdSetEvent2 and vkCmdWaitEvents2 are given the same barrier: one release.
SharedBuffer& wait_events2(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    const VkEventCreateInfo event_info{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO,
                                       .flags = VK_EVENT_CREATE_DEVICE_ONLY_BIT};
    VkEvent event = VK_NULL_HANDLE;
    FB_VK(vkCreateEvent(scene.context.device, &event_info, nullptr, &event));
    scene.at_end(
        [device = scene.context.device, event] { vkDestroyEvent(device, event, nullptr); });
    const VkBufferMemoryBarrier2 barrier{
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2,
        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .srcAccessMask = VK_ACCESS_2_TRANSFER_WRITE_BIT,
        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
        .srcQueueFamilyIndex = 0,
        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_FOREIGN_EXT,
        .buffer = shared.buffer,
        .size = VK_WHOLE_SIZE,
    };
    const VkDependencyInfo dependency{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                      .bufferMemoryBarrierCount = 1,
                                      .pBufferMemoryBarriers = &barrier};
    CommandBuffer& commands = scene.commands(Commands::Synchronization2);
    commands.begin();
    record_write(commands, scene.work, shared);
    vkCmdSetEvent2(commands.handle, event, &dependency);
    vkCmdWaitEvents2(commands.handle, 1, &event, &dependency);
    commands.end();
    FB_VK(submit(scene.context.queue, commands));
    return shared;
}

void write_and_release(Scene& scene, const SharedBuffer& shared) {
    CommandBuffer& commands = scene.commands();
    record_frame(commands, scene.work, shared);
    FB_VK(submit(scene.context.queue, commands));
}

SharedBuffer& imported(Scene& scene) {
    SharedBuffer& owner = scene.shared();
    const SharedBuffer& import =
        scene.keep<SharedBuffer>(scene.context, shared_extent, owner.dma_buf);
    write_and_release(scene, import);
    return owner;
}

SharedBuffer& imported_image(Scene& scene) {
    SharedBuffer& owner = scene.shared(SharedBuffer::Kind::Image);
    const SharedBuffer& import = scene.keep<SharedBuffer>(scene.context, shared_extent,
                                                          owner.dma_buf, SharedBuffer::Kind::Image);
    write_and_release(scene, import);
    return owner;
}

/// The buffer is another device's, of another instance.
SharedBuffer& of_another_device(Scene& scene) {
    const VulkanContext& other = scene.keep<VulkanContext>(ContextOptions{});
    SharedBuffer& owner = scene.keep<SharedBuffer>(other, shared_extent);
    owner.fill_on_cpu(old_value);
    const SharedBuffer& import =
        scene.keep<SharedBuffer>(scene.context, shared_extent, owner.dma_buf);
    write_and_release(scene, import);
    return owner;
}

/// The peer gets its descriptor when the work is submitted already.
SharedBuffer& exported_afterwards(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    write_and_release(scene, shared);
    const VkMemoryGetFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR,
        .memory = shared.memory,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT,
    };
    int fd = -1;
    FB_VK(scene.context.function<PFN_vkGetMemoryFdKHR>("vkGetMemoryFdKHR")(scene.context.device,
                                                                           &info, &fd));
    // The scene's buffer closes it.
    ::close(std::exchange(shared.dma_buf, fd));
    return shared;
}

} // namespace

std::vector<ReleaseWay> transfer_ways() {
    return {
        {"Secondary", secondary, {}},
        {"SecondOfTwoSecondaries", release_in_second_secondary, {}},
        {"AmongOtherBarriers", among_other_barriers, {}},
        {"ReadAfterTheWrite", read_after_the_write, {}},
        {"SecondBatchOfSubmit", second_batch_of_submit, {}},
        {"SecondBatchOfSubmit2", second_batch_of_submit2, {}},
        {"TwiceInOneSubmit", twice_in_one_submit, {}},
        {"SubmittedAgain", submitted_again, {}},
        {"RecordedAgain", recorded_again, {}},
        {"WaitEvents2", wait_events2, {}},
        {"ImportedBuffer", imported, {}},
        {"ImportedImage", imported_image, {}},
        {"BufferOfAnotherDevice", of_another_device, {}},
        {"ExportedAfterwards", exported_afterwards, {}},
    };
}

} // namespace fencebridge::test
