#include "transparency/command_targets.hpp"

namespace fencebridge::test {

CommandTargets::CommandTargets(Application& application) : application_(application) {
    const VkDevice device = application_.device;
    for (VkBuffer& buffer : buffers) {
        const VkBufferCreateInfo info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                      .size = 4096,
                                      .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                               VK_BUFFER_USAGE_TRANSFER_DST_BIT};
        FB_CALL(application_, CreateBuffer, device, &info, nullptr, &buffer);
        VkMemoryRequirements needed{};
        FB_CALL(application_, GetBufferMemoryRequirements, device, buffer, &needed);
        FB_CALL(application_, BindBufferMemory, device, buffer, allocate(needed), 0);
    }
    constexpr VkImageUsageFlags copied =
        VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT;
    constexpr VkImageUsageFlags drawn = copied | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT;
    for (VkImage& image : images) {
        image = make_image(VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_1_BIT, drawn);
    }
    multisampled = make_image(VK_FORMAT_R8G8B8A8_UNORM, VK_SAMPLE_COUNT_4_BIT, drawn);
    depth = make_image(VK_FORMAT_D16_UNORM, VK_SAMPLE_COUNT_1_BIT,
                       copied | VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT);
    make_pass();
    for (VkEvent& event : events) {
        const VkEventCreateInfo info{.sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO};
        FB_CALL(application_, CreateEvent, device, &info, nullptr, &event);
    }
    const VkQueryPoolCreateInfo query_info{.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                           .queryCount = 1};
    FB_CALL(application_, CreateQueryPool, device, &query_info, nullptr, &queries);
}

CommandTargets::~CommandTargets() {
    const VkDevice device = application_.device;
    FB_CALL(application_, DestroyQueryPool, device, queries, nullptr);
    for (const VkEvent event : events) {
        FB_CALL(application_, DestroyEvent, device, event, nullptr);
    }
    FB_CALL(application_, DestroyFramebuffer, device, framebuffer, nullptr);
    FB_CALL(application_, DestroyRenderPass, device, render_pass, nullptr);
    FB_CALL(application_, DestroyImageView, device, view, nullptr);
    for (const VkImage image : {images[0], images[1], multisampled, depth}) {
        FB_CALL(application_, DestroyImage, device, image, nullptr);
    }
    for (const VkBuffer buffer : buffers) {
        FB_CALL(application_, DestroyBuffer, device, buffer, nullptr);
    }
    for (const VkDeviceMemory memory : memories_) {
        FB_CALL(application_, FreeMemory, device, memory, nullptr);
    }
}

VkImage CommandTargets::make_image(VkFormat format, VkSampleCountFlagBits samples,
                                   VkImageUsageFlags usage) {
    const VkImageCreateInfo info{.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                 .imageType = VK_IMAGE_TYPE_2D,
                                 .format = format,
                                 .extent = {16, 16, 1},
                                 .mipLevels = 1,
                                 .arrayLayers = 1,
                                 .samples = samples,
                                 .usage = usage};
    VkImage image = VK_NULL_HANDLE;
    FB_CALL(application_, CreateImage, application_.device, &info, nullptr, &image);
    VkMemoryRequirements needed{};
    FB_CALL(application_, GetImageMemoryRequirements, application_.device, image, &needed);
    FB_CALL(application_, BindImageMemory, application_.device, image, allocate(needed), 0);
    return image;
}

VkDeviceMemory CommandTargets::allocate(const VkMemoryRequirements& needed) {
    const VkMemoryAllocateInfo info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                    .allocationSize = needed.size,
                                    .memoryTypeIndex =
                                        application_.memory_type(needed.memoryTypeBits, 0)};
    FB_CALL(application_, AllocateMemory, application_.device, &info, nullptr,
            &memories_.emplace_back());
    return memories_.back();
}

void CommandTargets::make_pass() {
    const VkDevice device = application_.device;
    const VkImageViewCreateInfo view_info{
        .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
        .image = images[0],
        .viewType = VK_IMAGE_VIEW_TYPE_2D,
        .format = VK_FORMAT_R8G8B8A8_UNORM,
        .subresourceRange = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 1, 0, 1}};
    FB_CALL(application_, CreateImageView, device, &view_info, nullptr, &view);
    const VkAttachmentDescription attachment{.format = VK_FORMAT_R8G8B8A8_UNORM,
                                             .samples = VK_SAMPLE_COUNT_1_BIT,
                                             .loadOp = VK_ATTACHMENT_LOAD_OP_CLEAR,
                                             .initialLayout = VK_IMAGE_LAYOUT_GENERAL,
                                             .finalLayout = VK_IMAGE_LAYOUT_GENERAL};
    const VkAttachmentReference reference{0, VK_IMAGE_LAYOUT_GENERAL};
    const VkSubpassDescription subpass{.colorAttachmentCount = 1, .pColorAttachments = &reference};
    const VkRenderPassCreateInfo pass_info{.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                           .attachmentCount = 1,
                                           .pAttachments = &attachment,
                                           .subpassCount = 1,
                                           .pSubpasses = &subpass};
    FB_CALL(application_, CreateRenderPass, device, &pass_info, nullptr, &render_pass);
    const VkFramebufferCreateInfo framebuffer_info{.sType =
                                                       VK_STRUCTURE_TYPE_FRAMEBUFFER_CREATE_INFO,
                                                   .renderPass = render_pass,
                                                   .attachmentCount = 1,
                                                   .pAttachments = &view,
                                                   .width = 16,
                                                   .height = 16,
                                                   .layers = 1};
    FB_CALL(application_, CreateFramebuffer, device, &framebuffer_info, nullptr, &framebuffer);
}

} // namespace fencebridge::test
