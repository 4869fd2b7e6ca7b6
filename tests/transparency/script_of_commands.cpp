// Command buffers, and every command that the layer looks at.
#include "transparency/application.hpp"
#include "transparency/command_targets.hpp"

#include <array>

namespace fencebridge::test {

namespace {

constexpr VkImageSubresourceLayers layers{VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1};
constexpr VkImageSubresourceRange whole{VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1};
constexpr VkImageSubresourceRange depths{VK_IMAGE_ASPECT_DEPTH_BIT, 0, 1, 0, 1};
constexpr VkExtent3D all_of_it{16, 16, 1};
constexpr VkImageLayout general = VK_IMAGE_LAYOUT_GENERAL;

VkCommandBuffer allocate(Application& application, VkCommandBufferLevel level) {
    const VkCommandBufferAllocateInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                           .commandPool = application.pool,
                                           .level = level,
                                           .commandBufferCount = 1};
    VkCommandBuffer commands = VK_NULL_HANDLE;
    FB_CALL(application, AllocateCommandBuffers, application.device, &info, &commands);
    return commands;
}

void begin(Application& application, VkCommandBuffer commands) {
    const VkCommandBufferInheritanceInfo none{
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO};
    const VkCommandBufferBeginInfo info{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
                                        .pInheritanceInfo = &none};
    FB_CALL(application, BeginCommandBuffer, commands, &info);
}

void record_barriers(Application& application, const CommandTargets& on, VkCommandBuffer commands) {
    // Between layouts, not between owners.
    const std::array targets{on.images[0], on.images[1], on.multisampled, on.depth};
    std::array<VkImageMemoryBarrier, targets.size()> images{};
    for (size_t i = 0; i < images.size(); ++i) {
        images.at(i) = {.sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
                        .dstAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                        .newLayout = general,
                        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                        .image = targets.at(i),
                        .subresourceRange = targets.at(i) == on.depth ? depths : whole};
    }
    FB_CALL(application, CmdPipelineBarrier, commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, 0, nullptr, 0, nullptr, images.size(),
            images.data());
    const VkBufferMemoryBarrier2 buffer{.sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_BARRIER_2,
                                        .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                        .dstStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                        .dstAccessMask = VK_ACCESS_2_MEMORY_READ_BIT,
                                        .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                        .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
                                        .buffer = on.buffers[0],
                                        .size = VK_WHOLE_SIZE};
    const VkDependencyInfo dependency{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                      .bufferMemoryBarrierCount = 1,
                                      .pBufferMemoryBarriers = &buffer};
    FB_CALL(application, CmdPipelineBarrier2, commands, &dependency);
    FB_CALL(application, CmdPipelineBarrier2KHR, commands, &dependency);
    FB_CALL(application, CmdSetEvent, commands, on.events[0], VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    FB_CALL(application, CmdWaitEvents, commands, 1, &on.events[0],
            VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, 0, nullptr, 0,
            nullptr, 0, nullptr);
    FB_CALL(application, CmdSetEvent2, commands, on.events[1], &dependency);
    FB_CALL(application, CmdWaitEvents2, commands, 1, &on.events[1], &dependency);
    FB_CALL(application, CmdWaitEvents2KHR, commands, 1, &on.events[1], &dependency);
}

void record_copies(Application& application, const CommandTargets& on, VkCommandBuffer commands) {
    const VkBuffer from = on.buffers[0];
    const VkBuffer to = on.buffers[1];
    const VkImage seen = on.images[0];
    const VkImage target = on.images[1];
    FB_CALL(application, CmdFillBuffer, commands, from, 0, 4096, 7);
    const std::array<uint32_t, 2> words{1, 2};
    FB_CALL(application, CmdUpdateBuffer, commands, from, 0, sizeof(words), words.data());
    const VkBufferCopy piece{0, 0, 1024};
    FB_CALL(application, CmdCopyBuffer, commands, from, to, 1, &piece);
    const VkBufferCopy2 piece_2{.sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2, .size = 1024};
    const VkCopyBufferInfo2 buffers{.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
                                    .srcBuffer = from,
                                    .dstBuffer = to,
                                    .regionCount = 1,
                                    .pRegions = &piece_2};
    FB_CALL(application, CmdCopyBuffer2, commands, &buffers);
    FB_CALL(application, CmdCopyBuffer2KHR, commands, &buffers);

    const VkClearColorValue colour{};
    FB_CALL(application, CmdClearColorImage, commands, seen, general, &colour, 1, &whole);
    const VkImageCopy area{layers, {}, layers, {}, all_of_it};
    FB_CALL(application, CmdCopyImage, commands, seen, general, target, general, 1, &area);
    const VkImageCopy2 area_2{.sType = VK_STRUCTURE_TYPE_IMAGE_COPY_2,
                              .srcSubresource = layers,
                              .dstSubresource = layers,
                              .extent = all_of_it};
    const VkCopyImageInfo2 images{.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_INFO_2,
                                  .srcImage = seen,
                                  .srcImageLayout = general,
                                  .dstImage = target,
                                  .dstImageLayout = general,
                                  .regionCount = 1,
                                  .pRegions = &area_2};
    FB_CALL(application, CmdCopyImage2, commands, &images);
    FB_CALL(application, CmdCopyImage2KHR, commands, &images);

    const VkBufferImageCopy rows{.imageSubresource = layers, .imageExtent = all_of_it};
    FB_CALL(application, CmdCopyBufferToImage, commands, from, target, general, 1, &rows);
    FB_CALL(application, CmdCopyImageToBuffer, commands, seen, general, to, 1, &rows);
    const VkBufferImageCopy2 rows_2{.sType = VK_STRUCTURE_TYPE_BUFFER_IMAGE_COPY_2,
                                    .imageSubresource = layers,
                                    .imageExtent = all_of_it};
    const VkCopyBufferToImageInfo2 in{.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_TO_IMAGE_INFO_2,
                                      .srcBuffer = from,
                                      .dstImage = target,
                                      .dstImageLayout = general,
                                      .regionCount = 1,
                                      .pRegions = &rows_2};
    FB_CALL(application, CmdCopyBufferToImage2, commands, &in);
    FB_CALL(application, CmdCopyBufferToImage2KHR, commands, &in);
    const VkCopyImageToBufferInfo2 out{.sType = VK_STRUCTURE_TYPE_COPY_IMAGE_TO_BUFFER_INFO_2,
                                       .srcImage = seen,
                                       .srcImageLayout = general,
                                       .dstBuffer = to,
                                       .regionCount = 1,
                                       .pRegions = &rows_2};
    FB_CALL(application, CmdCopyImageToBuffer2, commands, &out);
    FB_CALL(application, CmdCopyImageToBuffer2KHR, commands, &out);
}

void record_blits(Application& application, const CommandTargets& on, VkCommandBuffer commands) {
    const VkImage seen = on.images[0];
    const VkImage target = on.images[1];
    const VkImageBlit area{layers, {{}, {16, 16, 1}}, layers, {{}, {16, 16, 1}}};
    FB_CALL(application, CmdBlitImage, commands, seen, general, target, general, 1, &area,
            VK_FILTER_NEAREST);
    const VkImageBlit2 area_2{.sType = VK_STRUCTURE_TYPE_IMAGE_BLIT_2,
                              .srcSubresource = layers,
                              .srcOffsets = {{}, {16, 16, 1}},
                              .dstSubresource = layers,
                              .dstOffsets = {{}, {16, 16, 1}}};
    const VkBlitImageInfo2 blit{.sType = VK_STRUCTURE_TYPE_BLIT_IMAGE_INFO_2,
                                .srcImage = seen,
                                .srcImageLayout = general,
                                .dstImage = target,
                                .dstImageLayout = general,
                                .regionCount = 1,
                                .pRegions = &area_2};
    FB_CALL(application, CmdBlitImage2, commands, &blit);
    FB_CALL(application, CmdBlitImage2KHR, commands, &blit);

    const VkImageResolve samples{layers, {}, layers, {}, all_of_it};
    FB_CALL(application, CmdResolveImage, commands, on.multisampled, general, target, general, 1,
            &samples);
    const VkImageResolve2 samples_2{.sType = VK_STRUCTURE_TYPE_IMAGE_RESOLVE_2,
                                    .srcSubresource = layers,
                                    .dstSubresource = layers,
                                    .extent = all_of_it};
    const VkResolveImageInfo2 resolve{.sType = VK_STRUCTURE_TYPE_RESOLVE_IMAGE_INFO_2,
                                      .srcImage = on.multisampled,
                                      .srcImageLayout = general,
                                      .dstImage = target,
                                      .dstImageLayout = general,
                                      .regionCount = 1,
                                      .pRegions = &samples_2};
    FB_CALL(application, CmdResolveImage2, commands, &resolve);
    FB_CALL(application, CmdResolveImage2KHR, commands, &resolve);

    const VkClearDepthStencilValue depth{};
    FB_CALL(application, CmdClearDepthStencilImage, commands, on.depth, general, &depth, 1,
            &depths);
    FB_CALL(application, CmdResetQueryPool, commands, on.queries, 0, 1);
    FB_CALL(application, CmdWriteTimestamp, commands, VK_PIPELINE_STAGE_TOP_OF_PIPE_BIT, on.queries,
            0);
    FB_CALL(application, CmdCopyQueryPoolResults, commands, on.queries, 0, 1, on.buffers[1], 0, 8,
            VK_QUERY_RESULT_64_BIT);
}

void record_passes(Application& application, const CommandTargets& on, VkCommandBuffer commands) {
    const VkRenderPassBeginInfo pass{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
                                     .renderPass = on.render_pass,
                                     .framebuffer = on.framebuffer,
                                     .renderArea = {{0, 0}, {16, 16}}};
    FB_CALL(application, CmdBeginRenderPass, commands, &pass, VK_SUBPASS_CONTENTS_INLINE);
    FB_CALL(application, CmdEndRenderPass, commands);
    const VkSubpassBeginInfo subpass{.sType = VK_STRUCTURE_TYPE_SUBPASS_BEGIN_INFO};
    FB_CALL(application, CmdBeginRenderPass2, commands, &pass, &subpass);
    FB_CALL(application, CmdEndRenderPass, commands);
    if (FB_CALL(application, CmdBeginRenderPass2KHR, commands, &pass, &subpass)) {
        FB_CALL(application, CmdEndRenderPass, commands);
    }
    const VkRenderingAttachmentInfo attachment{.sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
                                               .imageView = on.view,
                                               .imageLayout = general,
                                               .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR};
    const VkRenderingInfo rendering{.sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
                                    .renderArea = {{0, 0}, {16, 16}},
                                    .layerCount = 1,
                                    .colorAttachmentCount = 1,
                                    .pColorAttachments = &attachment};
    FB_CALL(application, CmdBeginRendering, commands, &rendering);
    FB_CALL(application, CmdEndRendering, commands);
    if (FB_CALL(application, CmdBeginRenderingKHR, commands, &rendering)) {
        FB_CALL(application, CmdEndRendering, commands);
    }
}

} // namespace

void script_of_commands(Application& application) {
    const VkDevice device = application.device;
    const VkCommandPoolCreateInfo pool_info{.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                            .flags =
                                                VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT};
    FB_CALL(application, CreateCommandPool, device, &pool_info, nullptr, &application.pool);
    {
        const CommandTargets on(application);
        VkCommandBuffer commands = allocate(application, VK_COMMAND_BUFFER_LEVEL_PRIMARY);
        VkCommandBuffer secondary = allocate(application, VK_COMMAND_BUFFER_LEVEL_SECONDARY);
        begin(application, secondary);
        FB_CALL(application, CmdFillBuffer, secondary, on.buffers[1], 0, 64, 1);
        FB_CALL(application, EndCommandBuffer, secondary);

        begin(application, commands);
        FB_CALL(application, EndCommandBuffer, commands);
        FB_CALL(application, ResetCommandBuffer, commands, 0);
        begin(application, commands);
        record_barriers(application, on, commands);
        record_copies(application, on, commands);
        record_blits(application, on, commands);
        record_passes(application, on, commands);
        FB_CALL(application, CmdExecuteCommands, commands, 1, &secondary);
        FB_CALL(application, EndCommandBuffer, commands);
        const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                  .commandBufferCount = 1,
                                  .pCommandBuffers = &commands};
        FB_CALL(application, QueueSubmit, application.queue, 1, &submit, VK_NULL_HANDLE);
        FB_CALL(application, DeviceWaitIdle, device);
        FB_CALL(application, FreeCommandBuffers, device, application.pool, 1, &secondary);
        FB_CALL(application, ResetCommandPool, device, application.pool, 0);
    }
    FB_CALL(application, DestroyCommandPool, device, application.pool, nullptr);
}

} // namespace fencebridge::test
