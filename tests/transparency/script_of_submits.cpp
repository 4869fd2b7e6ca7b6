// Queues, submits, and what orders them.
#include "transparency/application.hpp"

namespace fencebridge::test {

namespace {

void submit_binary(Application& application, VkSemaphore semaphore, VkFence fence) {
    const VkQueue queue = application.queue;
    const VkSubmitInfo signal{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                              .signalSemaphoreCount = 1,
                              .pSignalSemaphores = &semaphore};
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo wait{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .waitSemaphoreCount = 1,
                            .pWaitSemaphores = &semaphore,
                            .pWaitDstStageMask = &stage};
    FB_CALL(application, QueueSubmit, queue, 1, &signal, VK_NULL_HANDLE);
    FB_CALL(application, QueueSubmit, queue, 1, &wait, fence);
    FB_CALL(application, WaitForFences, application.device, 1, &fence, VK_TRUE, UINT64_MAX);
    FB_CALL(application, ResetFences, application.device, 1, &fence);
    // No batch is a submit as well.
    FB_CALL(application, QueueSubmit, queue, 0, nullptr, fence);
    FB_CALL(application, WaitForFences, application.device, 1, &fence, VK_TRUE, UINT64_MAX);
    FB_CALL(application, ResetFences, application.device, 1, &fence);

    const VkSemaphoreSubmitInfo one{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                    .semaphore = semaphore,
                                    .stageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT};
    const VkSubmitInfo2 signal_2{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                 .signalSemaphoreInfoCount = 1,
                                 .pSignalSemaphoreInfos = &one};
    const VkSubmitInfo2 wait_2{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                               .waitSemaphoreInfoCount = 1,
                               .pWaitSemaphoreInfos = &one};
    FB_CALL(application, QueueSubmit2, queue, 1, &signal_2, VK_NULL_HANDLE);
    FB_CALL(application, QueueSubmit2, queue, 1, &wait_2, VK_NULL_HANDLE);
    FB_CALL(application, QueueSubmit2KHR, queue, 1, &signal_2, VK_NULL_HANDLE);
    FB_CALL(application, QueueSubmit2KHR, queue, 1, &wait_2, fence);
    FB_CALL(application, WaitForFences, application.device, 1, &fence, VK_TRUE, UINT64_MAX);
}

/// What has signalled already, for one wait.
void import_payloads(Application& application, VkSemaphore semaphore, VkFence fence) {
    const VkImportSemaphoreFdInfoKHR into_semaphore{
        .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
        .semaphore = semaphore,
        .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = -1};
    FB_CALL(application, ImportSemaphoreFdKHR, application.device, &into_semaphore);
    const VkPipelineStageFlags stage = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    const VkSubmitInfo wait{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                            .waitSemaphoreCount = 1,
                            .pWaitSemaphores = &semaphore,
                            .pWaitDstStageMask = &stage};
    FB_CALL(application, QueueSubmit, application.queue, 1, &wait, VK_NULL_HANDLE);
    const VkImportFenceFdInfoKHR into_fence{.sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
                                            .fence = fence,
                                            .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
                                            .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
                                            .fd = -1};
    FB_CALL(application, ImportFenceFdKHR, application.device, &into_fence);
    FB_CALL(application, WaitForFences, application.device, 1, &fence, VK_TRUE, UINT64_MAX);
    FB_CALL(application, ResetFences, application.device, 1, &fence);
    FB_CALL(application, DeviceWaitIdle, application.device);
}

void submit_timeline(Application& application) {
    const VkDevice device = application.device;
    const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                         .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
                                         .initialValue = 5};
    const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                     .pNext = &type};
    VkSemaphore timeline = VK_NULL_HANDLE;
    FB_CALL(application, CreateSemaphore, device, &info, nullptr, &timeline);
    const uint64_t value = 6;
    const VkTimelineSemaphoreSubmitInfo values{.sType =
                                                   VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
                                               .signalSemaphoreValueCount = 1,
                                               .pSignalSemaphoreValues = &value};
    const VkSubmitInfo submit{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                              .pNext = &values,
                              .signalSemaphoreCount = 1,
                              .pSignalSemaphores = &timeline};
    FB_CALL(application, QueueSubmit, application.queue, 1, &submit, VK_NULL_HANDLE);
    FB_CALL(application, DeviceWaitIdle, device);
    VkSemaphoreSignalInfo signal{
        .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = timeline, .value = 7};
    FB_CALL(application, SignalSemaphore, device, &signal);
    signal.value = 8;
    FB_CALL(application, SignalSemaphoreKHR, device, &signal);
    uint64_t reached = 0;
    FB_CALL(application, GetSemaphoreCounterValue, device, timeline, &reached);
    FB_CALL(application, DestroySemaphore, device, timeline, nullptr);
}

} // namespace

void script_of_submits(Application& application) {
    const VkDevice device = application.device;
    const VkExportFenceCreateInfo exportable{.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                             .handleTypes =
                                                 VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    const VkFenceCreateInfo fence_info{.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
                                       .pNext = &exportable};
    VkFence fence = VK_NULL_HANDLE;
    FB_CALL(application, CreateFence, device, &fence_info, nullptr, &fence);
    const VkSemaphoreCreateInfo semaphore_info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    VkSemaphore semaphore = VK_NULL_HANDLE;
    FB_CALL(application, CreateSemaphore, device, &semaphore_info, nullptr, &semaphore);
    submit_binary(application, semaphore, fence);
    FB_CALL(application, ResetFences, device, 1, &fence);
    import_payloads(application, semaphore, fence);
    submit_timeline(application);

    VkQueueFamilyProperties family{};
    uint32_t families = 1;
    FB_CALL(application, GetPhysicalDeviceQueueFamilyProperties, application.physical_device,
            &families, &family);
    application.look_up("vkQueueBindSparse");
    if ((family.queueFlags & VK_QUEUE_SPARSE_BINDING_BIT) != 0) {
        const VkBindSparseInfo nothing{.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO};
        FB_CALL(application, QueueBindSparse, application.queue, 1, &nothing, VK_NULL_HANDLE);
        FB_CALL(application, DeviceWaitIdle, device);
    }
    FB_CALL(application, DestroySemaphore, device, semaphore, nullptr);
    FB_CALL(application, DestroyFence, device, fence, nullptr);
}

} // namespace fencebridge::test
