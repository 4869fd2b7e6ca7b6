#include "dispatch/aliases.hpp"

namespace fencebridge {

namespace {

template<typename F>
void unify(F& core, F khr) {
    if (core == nullptr) {
        core = khr;
    }
}

} // namespace

void unify_aliases(VkuDeviceDispatchTable& table) {
    unify(table.BindBufferMemory2, table.BindBufferMemory2KHR);
    unify(table.BindImageMemory2, table.BindImageMemory2KHR);
    unify(table.CmdBeginRendering, table.CmdBeginRenderingKHR);
    unify(table.CmdBeginRenderPass2, table.CmdBeginRenderPass2KHR);
    unify(table.CmdBlitImage2, table.CmdBlitImage2KHR);
    unify(table.CmdCopyBuffer2, table.CmdCopyBuffer2KHR);
    unify(table.CmdCopyBufferToImage2, table.CmdCopyBufferToImage2KHR);
    unify(table.CmdCopyImage2, table.CmdCopyImage2KHR);
    unify(table.CmdCopyImageToBuffer2, table.CmdCopyImageToBuffer2KHR);
    unify(table.CmdPipelineBarrier2, table.CmdPipelineBarrier2KHR);
    unify(table.CmdResolveImage2, table.CmdResolveImage2KHR);
    unify(table.CmdWaitEvents2, table.CmdWaitEvents2KHR);
    unify(table.GetImageMemoryRequirements2, table.GetImageMemoryRequirements2KHR);
    unify(table.GetBufferDeviceAddress, table.GetBufferDeviceAddressKHR);
    unify(table.GetBufferDeviceAddress, table.GetBufferDeviceAddressEXT);
    unify(table.DestroyPrivateDataSlot, table.DestroyPrivateDataSlotEXT);
    unify(table.GetPrivateData, table.GetPrivateDataEXT);
    unify(table.SetPrivateData, table.SetPrivateDataEXT);
    unify(table.GetSemaphoreCounterValue, table.GetSemaphoreCounterValueKHR);
    unify(table.QueueSubmit2, table.QueueSubmit2KHR);
#ifdef VK_KHR_swapchain_maintenance1
    // Promoted the other way: the EXT name is the elder one.
    unify(table.ReleaseSwapchainImagesEXT, table.ReleaseSwapchainImagesKHR);
#endif
    unify(table.SignalSemaphore, table.SignalSemaphoreKHR);
    unify(table.WaitSemaphores, table.WaitSemaphoresKHR);
}

void unify_aliases(VkuInstanceDispatchTable& table, bool is_1_0) {
    const auto unify_for = [is_1_0](auto& core, auto khr) {
        if (is_1_0) {
            core = nullptr;
        }
        unify(core, khr);
    };
    unify_for(table.GetPhysicalDeviceExternalBufferProperties,
              table.GetPhysicalDeviceExternalBufferPropertiesKHR);
    unify_for(table.GetPhysicalDeviceExternalFenceProperties,
              table.GetPhysicalDeviceExternalFencePropertiesKHR);
    unify_for(table.GetPhysicalDeviceExternalSemaphoreProperties,
              table.GetPhysicalDeviceExternalSemaphorePropertiesKHR);
    unify_for(table.GetPhysicalDeviceFormatProperties2,
              table.GetPhysicalDeviceFormatProperties2KHR);
    unify_for(table.GetPhysicalDeviceImageFormatProperties2,
              table.GetPhysicalDeviceImageFormatProperties2KHR);
    unify_for(table.GetPhysicalDeviceProperties2, table.GetPhysicalDeviceProperties2KHR);
}

} // namespace fencebridge
