#include "driver/ways.hpp"

#include <vulkan/vulkan.h>

namespace fencebridge::test {

namespace {

constexpr VkClearColorValue new_colour = colour_of(new_value);

/// A buffer of ours with new_value in every word, to copy from.
const Buffer& source(Scene& scene) {
    const VkDeviceSize size = VkDeviceSize{shared_extent.width} * shared_extent.height * 4;
    const Buffer& made = scene.keep<Buffer>(scene.context, size,
                                            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                                VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    for (VkDeviceSize i = 0; i < size / 4; ++i) {
        made.mapped[i] = new_value;
    }
    return made;
}

/// Long work, what `record` does, and the submit: not one transfer. An image gets its layout by a
/// submit before, so that no barrier names it in this one.
template<typename Record>
SharedBuffer& touched(Scene& scene, SharedBuffer::Kind kind, Record&& record) {
    SharedBuffer& shared = scene.shared(kind);
    if (kind == SharedBuffer::Kind::Image) {
        CommandBuffer& before = scene.commands();
        before.begin();
        before.change_layout(shared.image, VK_IMAGE_LAYOUT_UNDEFINED, VK_IMAGE_LAYOUT_GENERAL);
        before.end();
        FB_VK(submit(scene.context.queue, before));
        FB_VK(vkQueueWaitIdle(scene.context.queue));
        shared.fill_on_cpu(old_value);
    }
    CommandBuffer& commands = scene.commands();
    commands.begin();
    scene.work.record(commands, long_work);
    record(commands, shared);
    commands.end();
    FB_VK(submit(scene.context.queue, commands));
    return shared;
}

SharedBuffer& fill_buffer(Scene& scene) {
    return touched(scene, SharedBuffer::Kind::Buffer, [](CommandBuffer& commands, const auto& to) {
        vkCmdFillBuffer(commands.handle, to.buffer, 0, VK_WHOLE_SIZE, new_value);
    });
}

SharedBuffer& copy_buffer(Scene& scene) {
    const Buffer& from = source(scene);
    return touched(scene, SharedBuffer::Kind::Buffer, [&](CommandBuffer& commands, const auto& to) {
        const VkBufferCopy region{.size = from.size};
        vkCmdCopyBuffer(commands.handle, from.buffer, to.buffer, 1, &region);
    });
}

SharedBuffer& copy_buffer2(Scene& scene) {
    const Buffer& from = source(scene);
    return touched(scene, SharedBuffer::Kind::Buffer, [&](CommandBuffer& commands, const auto& to) {
        const VkBufferCopy2 region{.sType = VK_STRUCTURE_TYPE_BUFFER_COPY_2, .size = from.size};
        const VkCopyBufferInfo2 info{.sType = VK_STRUCTURE_TYPE_COPY_BUFFER_INFO_2,
                                     .srcBuffer = from.buffer,
                                     .dstBuffer = to.buffer,
                                     .regionCount = 1,
                                     .pRegions = &region};
        vkCmdCopyBuffer2(commands.handle, &info);
    });
}

SharedBuffer& copy_buffer_to_image(Scene& scene) {
    const Buffer& from = source(scene);
    return touched(scene, SharedBuffer::Kind::Image, [&](CommandBuffer& commands, const auto& to) {
        const VkBufferImageCopy region{
            .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
            .imageExtent = {shared_extent.width, shared_extent.height, 1},
        };
        vkCmdCopyBufferToImage(commands.handle, from.buffer, to.image, VK_IMAGE_LAYOUT_GENERAL, 1,
                               &region);
    });
}

SharedBuffer& clear_image(Scene& scene) {
    return touched(scene, SharedBuffer::Kind::Image, [](CommandBuffer& commands, const auto& to) {
        vkCmdClearColorImage(commands.handle, to.image, VK_IMAGE_LAYOUT_GENERAL, &new_colour, 1,
                             &whole_image);
    });
}

VkImageView view_of(Scene& scene, VkImage image) {
    const VkImageViewCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = image,
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = VK_FORMAT_B8G8R8A8_UNORM,
        .subresourceRange = whole_image,
    };
    VkImageView view = VK_NULL_HANDLE;
    FB_VK(vkCreateImageView(scene.context.device, &info, nullptr, &view));
    scene.at_end(
        [device = scene.context.device, view] { vkDestroyImageView(device, view, nullptr); });
    return view;
}

VkRect2D whole_area() {
    return {{0, 0}, {shared_extent.width, shared_extent.height}};
}

/// The clear of an attachment is all that a rendering does here.
SharedBuffer& dynamic_rendering(Scene& scene) {
    return touched(scene, SharedBuffer::Kind::Image, [&](CommandBuffer& commands, const auto& to) {
        const VkRenderingAttachmentInfo colour{
            .sType = VK_STRUCTURE_TYPE_RENDERING_ATTACHMENT_INFO,
            .imageView = view_of(scene, to.image),
            .imageLayout = VK_IMAGE_LAYOUT_GENERAL,
            .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
            .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
            .clearValue = {.color = new_colour},
        };
        const VkRenderingInfo info{
            .sType = VK_STRUCTURE_TYPE_RENDERING_INFO,
            .renderArea = whole_area(),
            .layerCount = 1,
            .colorAttachmentCount = 1,
            .pColorAttachments = &colour,
        };
        vkCmdBeginRendering(commands.handle, &info);
        vkCmdEndRendering(commands.handle);
    });
}

VkRenderPass clearing_pass(Scene& scene) {
    const VkAttachmentDescription attachment{
        .format = VK_FORMAT_B8G8R8A8_UNORM,
        .samples = VK_SAMPLE_COUNT_1_BIT,
        .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
        .storeOp = VK_ATTACHMENT_STORE_OP_STORE,
        .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
        .finalLayout = VK_IMAGE_LAYOUT_GENERAL,
    };
    const VkAttachmentReference reference{0, VK_IMAGE_LAYOUT_GENERAL};
    const VkSubpassDescription subpass{
        .pipelineBindPoint = VK_PIPELINE_BIND_POINT_GRAPHICS,
        .colorAttachmentCount = 1,
        .pColorAttachments = &reference,
    };
    const VkRenderPassCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
        .attachmentCount = 1,
        .pAttachments = &attachment,
        .subpassCount = 1,
        .pSubpasses = &subpass,
    };
    VkRenderPass pass = VK_NULL_HANDLE;
    FB_VK(vkCreateRenderPass(scene.context.device, &info, nullptr, &pass));
    scene.at_end(
        [device = scene.context.device, pass] { vkDestroyRenderPass(device, pass, nullptr); });
    return pass;
}

SharedBuffer& render_pass(Scene& scene) {
    return touched(scene, SharedBuffer::Kind::Image, [&](CommandBuffer& commands, const auto& to) {
        const VkRenderPass pass = clearing_pass(scene);
        const VkImageView view = view_of(scene, to.image);
        const VkFramebufferCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
            .renderPass = pass,
            .attachmentCount = 1,
            .pAttachments = &view,
            .width = shared_extent.width,
            .height = shared_extent.height,
            .layers = 1,
        };
        VkFramebuffer framebuffer = VK_NULL_HANDLE;
        FB_VK(vkCreateFramebuffer(scene.context.device, &info, nullptr, &framebuffer));
        scene.at_end([device = scene.context.device, framebuffer] {
            vkDestroyFramebuffer(device, framebuffer, nullptr);
        });
        const VkClearValue clear{.color = new_colour};
        const VkRenderPassBeginInfo begin{
            .sType = VK_STRUCTURE_TYPE_RENDER_PASS_BEGIN_INFO,
            .renderPass = pass,
            .framebuffer = framebuffer,
            .renderArea = whole_area(),
            .clearValueCount = 1,
            .pClearValues = &clear,
        };
        vkCmdBeginRenderPass(commands.handle, &begin, VK_SUBPASS_CONTENTS_INLINE);
        vkCmdEndRenderPass(commands.handle);
    });
}

} // namespace

std::vector<ReleaseWay> touch_ways() {
    const SettingList touch{{"POLICY", "touch"}};
    return {
        {"FillBuffer", fill_buffer, {}},
        {"CopyBuffer", copy_buffer, {}},
        {"CopyBuffer2", copy_buffer2, {}},
        {"CopyBufferToImage", copy_buffer_to_image, {}},
        {"ClearImage", clear_image, {}},
        {"DynamicRendering", dynamic_rendering, {}},
        {"RenderPass", render_pass, {}},
        {"FillBufferPolicyTouch", fill_buffer, touch},
        {"FillBufferPolicyAlways", fill_buffer, {{"POLICY", "always"}}},
    };
}

} // namespace fencebridge::test
