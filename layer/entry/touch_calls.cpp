// Commands that use a resource without transferring it: hand-offs of the policy `touch`.
#include "dispatch/chain.hpp"
#include "entry/entry_points.hpp"
#include "entry/guard.hpp"
#include "entry/states.hpp"

namespace fencebridge::entry {

namespace {

/// A resource and what a command does with it.
template<typename Resource>
struct Use {
    Resource resource;
    Access access;
};
template<typename Resource>
Use<Resource> reads(Resource resource) {
    return {resource, Access::Read};
}
template<typename Resource>
Use<Resource> writes(Resource resource) {
    return {resource, Access::Write};
}

/// Records the uses and gives back the next layer's functions.
template<typename... Resources>
const VkuDeviceDispatchTable& touch(VkCommandBuffer command_buffer, const Use<Resources>&... uses) {
    DeviceState& state = device_of(command_buffer);
    if (state.bridge != nullptr) {
        guarded_void("a recorded use of shared memory is lost", [&] {
            (state.bridge->touch(command_buffer, uses.resource, uses.access), ...);
        });
    }
    return state.device.next;
}

/// An attachment may be written, whatever the render pass says: store operations count as writes.
void touch_attachment(Bridge& bridge, VkCommandBuffer command_buffer,
                      const VkRenderingAttachmentInfo* attachment) {
    if (attachment == nullptr) {
        return;
    }
    for (VkImageView view : {attachment->imageView, attachment->resolveImageView}) {
        if (view != VK_NULL_HANDLE) {
            bridge.touch(command_buffer, view, Access::Write);
        }
    }
}

const VkuDeviceDispatchTable& touch_render_pass(VkCommandBuffer command_buffer,
                                                const VkRenderPassBeginInfo& begin) {
    DeviceState& state = device_of(command_buffer);
    if (state.bridge != nullptr) {
        guarded_void("a render pass on shared memory is lost", [&] {
            state.bridge->touch(command_buffer, begin.framebuffer, Access::Write);
            // An imageless framebuffer gets its views here.
            if (const auto* attachments = find_in_chain<VkRenderPassAttachmentBeginInfo>(
                    begin.pNext, VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO)) {
                for (VkImageView view :
                     std::span(attachments->pAttachments, attachments->attachmentCount)) {
                    state.bridge->touch(command_buffer, view, Access::Write);
                }
            }
        });
    }
    return state.device.next;
}

} // namespace

VKAPI_ATTR VkResult VKAPI_CALL CreateImageView(VkDevice device,
                                               const VkImageViewCreateInfo* pCreateInfo,
                                               const VkAllocationCallbacks* pAllocator,
                                               VkImageView* pView) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const VkResult result =
            state.device.next.CreateImageView(device, pCreateInfo, pAllocator, pView);
        if (result == VK_SUCCESS && state.bridge != nullptr) {
            record_or_destroy(
                [&] { state.bridge->memories.viewed(*pView, pCreateInfo->image); },
                [&] { state.device.next.DestroyImageView(device, *pView, pAllocator); });
        }
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyImageView(VkDevice device, VkImageView imageView,
                                            const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->memories.destroyed(imageView);
    }
    state.device.next.DestroyImageView(device, imageView, pAllocator);
}

VKAPI_ATTR VkResult VKAPI_CALL CreateFramebuffer(VkDevice device,
                                                 const VkFramebufferCreateInfo* pCreateInfo,
                                                 const VkAllocationCallbacks* pAllocator,
                                                 VkFramebuffer* pFramebuffer) {
    return guarded([&] {
        DeviceState& state = device_of(device);
        const VkResult result =
            state.device.next.CreateFramebuffer(device, pCreateInfo, pAllocator, pFramebuffer);
        const bool has_views = (pCreateInfo->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT) == 0;
        if (result == VK_SUCCESS && state.bridge != nullptr && has_views) {
            record_or_destroy(
                [&] {
                    state.bridge->memories.framed(
                        *pFramebuffer, {pCreateInfo->pAttachments, pCreateInfo->attachmentCount});
                },
                [&] { state.device.next.DestroyFramebuffer(device, *pFramebuffer, pAllocator); });
        }
        return result;
    });
}

VKAPI_ATTR void VKAPI_CALL DestroyFramebuffer(VkDevice device, VkFramebuffer framebuffer,
                                              const VkAllocationCallbacks* pAllocator) {
    DeviceState& state = device_of(device);
    if (state.bridge != nullptr) {
        state.bridge->memories.destroyed(framebuffer);
    }
    state.device.next.DestroyFramebuffer(device, framebuffer, pAllocator);
}

VKAPI_ATTR void VKAPI_CALL CmdBeginRenderPass(VkCommandBuffer commandBuffer,
                                              const VkRenderPassBeginInfo* pRenderPassBegin,
                                              VkSubpassContents contents) {
    touch_render_pass(commandBuffer, *pRenderPassBegin)
        .CmdBeginRenderPass(commandBuffer, pRenderPassBegin, contents);
}

VKAPI_ATTR void VKAPI_CALL CmdBeginRenderPass2(VkCommandBuffer commandBuffer,
                                               const VkRenderPassBeginInfo* pRenderPassBegin,
                                               const VkSubpassBeginInfo* pSubpassBeginInfo) {
    touch_render_pass(commandBuffer, *pRenderPassBegin)
        .CmdBeginRenderPass2(commandBuffer, pRenderPassBegin, pSubpassBeginInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdBeginRenderPass2KHR(VkCommandBuffer commandBuffer,
                                                  const VkRenderPassBeginInfo* pRenderPassBegin,
                                                  const VkSubpassBeginInfo* pSubpassBeginInfo) {
    CmdBeginRenderPass2(commandBuffer, pRenderPassBegin, pSubpassBeginInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdBeginRendering(VkCommandBuffer commandBuffer,
                                             const VkRenderingInfo* pRenderingInfo) {
    DeviceState& state = device_of(commandBuffer);
    if (state.bridge != nullptr) {
        guarded_void("a rendering on shared memory is lost", [&] {
            for (uint32_t i = 0; i < pRenderingInfo->colorAttachmentCount; ++i) {
                touch_attachment(*state.bridge, commandBuffer,
                                 pRenderingInfo->pColorAttachments + i);
            }
            touch_attachment(*state.bridge, commandBuffer, pRenderingInfo->pDepthAttachment);
            touch_attachment(*state.bridge, commandBuffer, pRenderingInfo->pStencilAttachment);
        });
    }
    state.device.next.CmdBeginRendering(commandBuffer, pRenderingInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdBeginRenderingKHR(VkCommandBuffer commandBuffer,
                                                const VkRenderingInfo* pRenderingInfo) {
    CmdBeginRendering(commandBuffer, pRenderingInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyBuffer(VkCommandBuffer commandBuffer, VkBuffer srcBuffer,
                                         VkBuffer dstBuffer, uint32_t regionCount,
                                         const VkBufferCopy* pRegions) {
    touch(commandBuffer, reads(srcBuffer), writes(dstBuffer))
        .CmdCopyBuffer(commandBuffer, srcBuffer, dstBuffer, regionCount, pRegions);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyImage(VkCommandBuffer commandBuffer, VkImage srcImage,
                                        VkImageLayout srcImageLayout, VkImage dstImage,
                                        VkImageLayout dstImageLayout, uint32_t regionCount,
                                        const VkImageCopy* pRegions) {
    touch(commandBuffer, reads(srcImage), writes(dstImage))
        .CmdCopyImage(commandBuffer, srcImage, srcImageLayout, dstImage, dstImageLayout,
                      regionCount, pRegions);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyBufferToImage(VkCommandBuffer commandBuffer, VkBuffer srcBuffer,
                                                VkImage dstImage, VkImageLayout dstImageLayout,
                                                uint32_t regionCount,
                                                const VkBufferImageCopy* pRegions) {
    touch(commandBuffer, reads(srcBuffer), writes(dstImage))
        .CmdCopyBufferToImage(commandBuffer, srcBuffer, dstImage, dstImageLayout, regionCount,
                              pRegions);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyImageToBuffer(VkCommandBuffer commandBuffer, VkImage srcImage,
                                                VkImageLayout srcImageLayout, VkBuffer dstBuffer,
                                                uint32_t regionCount,
                                                const VkBufferImageCopy* pRegions) {
    touch(commandBuffer, reads(srcImage), writes(dstBuffer))
        .CmdCopyImageToBuffer(commandBuffer, srcImage, srcImageLayout, dstBuffer, regionCount,
                              pRegions);
}

VKAPI_ATTR void VKAPI_CALL CmdBlitImage(VkCommandBuffer commandBuffer, VkImage srcImage,
                                        VkImageLayout srcImageLayout, VkImage dstImage,
                                        VkImageLayout dstImageLayout, uint32_t regionCount,
                                        const VkImageBlit* pRegions, VkFilter filter) {
    touch(commandBuffer, reads(srcImage), writes(dstImage))
        .CmdBlitImage(commandBuffer, srcImage, srcImageLayout, dstImage, dstImageLayout,
                      regionCount, pRegions, filter);
}

VKAPI_ATTR void VKAPI_CALL CmdResolveImage(VkCommandBuffer commandBuffer, VkImage srcImage,
                                           VkImageLayout srcImageLayout, VkImage dstImage,
                                           VkImageLayout dstImageLayout, uint32_t regionCount,
                                           const VkImageResolve* pRegions) {
    touch(commandBuffer, reads(srcImage), writes(dstImage))
        .CmdResolveImage(commandBuffer, srcImage, srcImageLayout, dstImage, dstImageLayout,
                         regionCount, pRegions);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyBuffer2(VkCommandBuffer commandBuffer,
                                          const VkCopyBufferInfo2* pCopyBufferInfo) {
    touch(commandBuffer, reads(pCopyBufferInfo->srcBuffer), writes(pCopyBufferInfo->dstBuffer))
        .CmdCopyBuffer2(commandBuffer, pCopyBufferInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyBuffer2KHR(VkCommandBuffer commandBuffer,
                                             const VkCopyBufferInfo2* pCopyBufferInfo) {
    CmdCopyBuffer2(commandBuffer, pCopyBufferInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyImage2(VkCommandBuffer commandBuffer,
                                         const VkCopyImageInfo2* pCopyImageInfo) {
    touch(commandBuffer, reads(pCopyImageInfo->srcImage), writes(pCopyImageInfo->dstImage))
        .CmdCopyImage2(commandBuffer, pCopyImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyImage2KHR(VkCommandBuffer commandBuffer,
                                            const VkCopyImageInfo2* pCopyImageInfo) {
    CmdCopyImage2(commandBuffer, pCopyImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyBufferToImage2(
    VkCommandBuffer commandBuffer, const VkCopyBufferToImageInfo2* pCopyBufferToImageInfo) {
    touch(commandBuffer, reads(pCopyBufferToImageInfo->srcBuffer),
          writes(pCopyBufferToImageInfo->dstImage))
        .CmdCopyBufferToImage2(commandBuffer, pCopyBufferToImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyBufferToImage2KHR(
    VkCommandBuffer commandBuffer, const VkCopyBufferToImageInfo2* pCopyBufferToImageInfo) {
    CmdCopyBufferToImage2(commandBuffer, pCopyBufferToImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyImageToBuffer2(
    VkCommandBuffer commandBuffer, const VkCopyImageToBufferInfo2* pCopyImageToBufferInfo) {
    touch(commandBuffer, reads(pCopyImageToBufferInfo->srcImage),
          writes(pCopyImageToBufferInfo->dstBuffer))
        .CmdCopyImageToBuffer2(commandBuffer, pCopyImageToBufferInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyImageToBuffer2KHR(
    VkCommandBuffer commandBuffer, const VkCopyImageToBufferInfo2* pCopyImageToBufferInfo) {
    CmdCopyImageToBuffer2(commandBuffer, pCopyImageToBufferInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdBlitImage2(VkCommandBuffer commandBuffer,
                                         const VkBlitImageInfo2* pBlitImageInfo) {
    touch(commandBuffer, reads(pBlitImageInfo->srcImage), writes(pBlitImageInfo->dstImage))
        .CmdBlitImage2(commandBuffer, pBlitImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdBlitImage2KHR(VkCommandBuffer commandBuffer,
                                            const VkBlitImageInfo2* pBlitImageInfo) {
    CmdBlitImage2(commandBuffer, pBlitImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdResolveImage2(VkCommandBuffer commandBuffer,
                                            const VkResolveImageInfo2* pResolveImageInfo) {
    touch(commandBuffer, reads(pResolveImageInfo->srcImage), writes(pResolveImageInfo->dstImage))
        .CmdResolveImage2(commandBuffer, pResolveImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdResolveImage2KHR(VkCommandBuffer commandBuffer,
                                               const VkResolveImageInfo2* pResolveImageInfo) {
    CmdResolveImage2(commandBuffer, pResolveImageInfo);
}

VKAPI_ATTR void VKAPI_CALL CmdFillBuffer(VkCommandBuffer commandBuffer, VkBuffer dstBuffer,
                                         VkDeviceSize dstOffset, VkDeviceSize size, uint32_t data) {
    touch(commandBuffer, writes(dstBuffer))
        .CmdFillBuffer(commandBuffer, dstBuffer, dstOffset, size, data);
}

VKAPI_ATTR void VKAPI_CALL CmdUpdateBuffer(VkCommandBuffer commandBuffer, VkBuffer dstBuffer,
                                           VkDeviceSize dstOffset, VkDeviceSize dataSize,
                                           const void* pData) {
    touch(commandBuffer, writes(dstBuffer))
        .CmdUpdateBuffer(commandBuffer, dstBuffer, dstOffset, dataSize, pData);
}

VKAPI_ATTR void VKAPI_CALL CmdClearColorImage(VkCommandBuffer commandBuffer, VkImage image,
                                              VkImageLayout imageLayout,
                                              const VkClearColorValue* pColor, uint32_t rangeCount,
                                              const VkImageSubresourceRange* pRanges) {
    touch(commandBuffer, writes(image))
        .CmdClearColorImage(commandBuffer, image, imageLayout, pColor, rangeCount, pRanges);
}

VKAPI_ATTR void VKAPI_CALL CmdClearDepthStencilImage(VkCommandBuffer commandBuffer, VkImage image,
                                                     VkImageLayout imageLayout,
                                                     const VkClearDepthStencilValue* pDepthStencil,
                                                     uint32_t rangeCount,
                                                     const VkImageSubresourceRange* pRanges) {
    touch(commandBuffer, writes(image))
        .CmdClearDepthStencilImage(commandBuffer, image, imageLayout, pDepthStencil, rangeCount,
                                   pRanges);
}

VKAPI_ATTR void VKAPI_CALL CmdCopyQueryPoolResults(VkCommandBuffer commandBuffer,
                                                   VkQueryPool queryPool, uint32_t firstQuery,
                                                   uint32_t queryCount, VkBuffer dstBuffer,
                                                   VkDeviceSize dstOffset, VkDeviceSize stride,
                                                   VkQueryResultFlags flags) {
    touch(commandBuffer, writes(dstBuffer))
        .CmdCopyQueryPoolResults(commandBuffer, queryPool, firstQuery, queryCount, dstBuffer,
                                 dstOffset, stride, flags);
}

} // namespace fencebridge::entry
