#include "driver/ways.hpp"

#include <vulkan/vulkan.h>

namespace fencebridge::test {

namespace {

/// A semaphore that an earlier submit signals.
const Semaphore& signalled(Scene& scene) {
    const Semaphore& made = scene.keep<Semaphore>(scene.context);
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &made.handle,
    };
    FB_VK(vkQueueSubmit(scene.context.queue, 1, &batch, VK_NULL_HANDLE));
    return made;
}

/// The submit names the device of everything in it: what the layer adds has to be named as well.
SharedBuffer& submit_in_group(Scene& scene) {
    SharedBuffer& shared = scene.shared();
    CommandBuffer& commands = scene.commands();
    record_frame(commands, scene.work, shared);
    const VkSemaphore wait = signalled(scene).handle;
    const VkSemaphore signal = scene.keep<Semaphore>(scene.context).handle;
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const uint32_t index = 0;
    const uint32_t mask = 1;
    const VkDeviceGroupSubmitInfo group{
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SUBMIT_INFO,
        .waitSemaphoreCount = 1,
        .pWaitSemaphoreDeviceIndices = &index,
        .commandBufferCount = 1,
        .pCommandBufferDeviceMasks = &mask,
        .signalSemaphoreCount = 1,
        .pSignalSemaphoreDeviceIndices = &index,
    };
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .pNext = &group,
        .waitSemaphoreCount = 1,
        .pWaitSemaphores = &wait,
        .pWaitDstStageMask = &stage,
        .commandBufferCount = 1,
        .pCommandBuffers = &commands.handle,
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &signal,
    };
    FB_VK(vkQueueSubmit(scene.context.queue, 1, &batch, VK_NULL_HANDLE));
    return shared;
}

SharedBuffer& submit2_in_group(Scene& scene) {
    SharedBuffer& shared = scene.shared(SharedBuffer::Kind::Image);
    CommandBuffer& commands = scene.commands(Commands::Synchronization2);
    record_frame(commands, scene.work, shared);
    const auto on_device_0 = [](VkSemaphore semaphore) {
        return VkSemaphoreSubmitInfo{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
            .semaphore = semaphore,
            .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
            .deviceIndex = 0,
        };
    };
    const VkSemaphoreSubmitInfo wait = on_device_0(signalled(scene).handle);
    const VkSemaphoreSubmitInfo signal = on_device_0(scene.keep<Semaphore>(scene.context).handle);
    const VkCommandBufferSubmitInfo command_buffer{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO,
        .commandBuffer = commands.handle,
        .deviceMask = 1,
    };
    const VkSubmitInfo2 batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
        .waitSemaphoreInfoCount = 1,
        .pWaitSemaphoreInfos = &wait,
        .commandBufferInfoCount = 1,
        .pCommandBufferInfos = &command_buffer,
        .signalSemaphoreInfoCount = 1,
        .pSignalSemaphoreInfos = &signal,
    };
    FB_VK(vkQueueSubmit2(scene.context.queue, 1, &batch, VK_NULL_HANDLE));
    return shared;
}

} // namespace

std::vector<ReleaseWay> device_group_ways() {
    return {
        {"BufferSubmit", submit_in_group, {}, true},
        {"ImageSubmit2", submit2_in_group, {}, true},
    };
}

} // namespace fencebridge::test
