// The one list of everything that the layer intercepts.
#pragma once

#include "entry/vulkan_x11.hpp"

#include <vulkan/vulkan_core.h>
// Behind the core's, which it does not include.
#include <vulkan/vulkan_wayland.h>

#include <type_traits>

// On every instance and device: instance_calls.cpp, device_calls.cpp.
#define FENCEBRIDGE_INSTANCE_FUNCTIONS(F)                                                          \
    F(GetInstanceProcAddr)                                                                         \
    F(CreateInstance)                                                                              \
    F(DestroyInstance)                                                                             \
    F(CreateDevice)

// On instances whose setting `present` may concern a surface: present_calls.cpp.
#define FENCEBRIDGE_SURFACE_FUNCTIONS(F)                                                           \
    F(EnumerateDeviceExtensionProperties)                                                          \
    F(CreateWaylandSurfaceKHR)                                                                     \
    F(CreateXcbSurfaceKHR)                                                                         \
    F(CreateXlibSurfaceKHR)

// On instances of applications that enabled VK_EXT_headless_surface, whatever the settings:
// headless_calls.cpp.
#define FENCEBRIDGE_HEADLESS_FUNCTIONS(F)                                                          \
    F(CreateHeadlessSurfaceEXT)                                                                    \
    F(GetPhysicalDeviceSurfaceSupportKHR)                                                          \
    F(GetPhysicalDeviceSurfaceCapabilitiesKHR)                                                     \
    F(GetPhysicalDeviceSurfaceCapabilities2KHR)                                                    \
    F(GetPhysicalDeviceSurfaceCapabilities2EXT)                                                    \
    F(GetPhysicalDeviceSurfaceFormatsKHR)                                                          \
    F(GetPhysicalDeviceSurfaceFormats2KHR)                                                         \
    F(GetPhysicalDeviceSurfacePresentModesKHR)                                                     \
    F(GetPhysicalDevicePresentRectanglesKHR)

// On both kinds of instances: present_calls.cpp.
#define FENCEBRIDGE_ANY_SURFACE_FUNCTIONS(F) F(DestroySurfaceKHR)

// On the devices of both that have swapchains: present_calls.cpp, headless_calls.cpp.
#define FENCEBRIDGE_SURFACE_DEVICE_FUNCTIONS(F)                                                    \
    F(CreateSwapchainKHR)                                                                          \
    F(GetDeviceGroupSurfacePresentModesKHR)

// Of headers newer than the oldest that the layer is built with.
#ifdef VK_KHR_swapchain_maintenance1
#define FENCEBRIDGE_MAINTENANCE_FUNCTIONS(F) F(ReleaseSwapchainImagesKHR)
#else
#define FENCEBRIDGE_MAINTENANCE_FUNCTIONS(F)
#endif
#ifdef VK_KHR_present_wait2
#define FENCEBRIDGE_PRESENT_WAIT_2_FUNCTIONS(F) F(WaitForPresent2KHR)
#else
#define FENCEBRIDGE_PRESENT_WAIT_2_FUNCTIONS(F)
#endif

// On devices that may get swapchains of ours, or presents that wait: present_calls.cpp.
#define FENCEBRIDGE_PRESENTING_FUNCTIONS(F)                                                        \
    F(CreateImage)                                                                                 \
    F(DestroySwapchainKHR)                                                                         \
    F(GetSwapchainImagesKHR)                                                                       \
    F(AcquireNextImageKHR)                                                                         \
    F(AcquireNextImage2KHR)                                                                        \
    F(QueuePresentKHR)                                                                             \
    F(ReleaseSwapchainImagesEXT)                                                                   \
    F(WaitForPresentKHR)                                                                           \
    F(GetSwapchainStatusKHR)                                                                       \
    F(SetHdrMetadataEXT)                                                                           \
    FENCEBRIDGE_MAINTENANCE_FUNCTIONS(F)                                                           \
    FENCEBRIDGE_PRESENT_WAIT_2_FUNCTIONS(F)

#define FENCEBRIDGE_DEVICE_FUNCTIONS(F)                                                            \
    F(GetDeviceProcAddr)                                                                           \
    F(DestroyDevice)

// On devices that share memory, and only there: on all others vkGetDeviceProcAddr gives out the
// next layer's function, and not one instruction of ours is on the way.
// memory_calls.cpp, command_calls.cpp, queue_calls.cpp.
#define FENCEBRIDGE_SHARING_FUNCTIONS(F)                                                           \
    F(AllocateMemory)                                                                              \
    F(FreeMemory)                                                                                  \
    F(GetMemoryFdKHR)                                                                              \
    F(BindImageMemory)                                                                             \
    F(BindImageMemory2)                                                                            \
    F(BindImageMemory2KHR)                                                                         \
    F(BindBufferMemory)                                                                            \
    F(BindBufferMemory2)                                                                           \
    F(BindBufferMemory2KHR)                                                                        \
    F(GetBufferDeviceAddress)                                                                      \
    F(GetBufferDeviceAddressKHR)                                                                   \
    F(GetBufferDeviceAddressEXT)                                                                   \
    F(DestroyImage)                                                                                \
    F(DestroyBuffer)                                                                               \
    F(AllocateCommandBuffers)                                                                      \
    F(FreeCommandBuffers)                                                                          \
    F(ResetCommandPool)                                                                            \
    F(DestroyCommandPool)                                                                          \
    F(BeginCommandBuffer)                                                                          \
    F(ResetCommandBuffer)                                                                          \
    F(CmdPipelineBarrier)                                                                          \
    F(CmdPipelineBarrier2)                                                                         \
    F(CmdPipelineBarrier2KHR)                                                                      \
    F(CmdWaitEvents)                                                                               \
    F(CmdWaitEvents2)                                                                              \
    F(CmdWaitEvents2KHR)                                                                           \
    F(CmdExecuteCommands)                                                                          \
    F(GetDeviceQueue)                                                                              \
    F(GetDeviceQueue2)                                                                             \
    F(QueueSubmit)                                                                                 \
    F(QueueSubmit2)                                                                                \
    F(QueueSubmit2KHR)                                                                             \
    F(QueueBindSparse)                                                                             \
    F(CreateSemaphore)                                                                             \
    F(DestroySemaphore)                                                                            \
    F(SignalSemaphore)                                                                             \
    F(SignalSemaphoreKHR)                                                                          \
    F(ImportSemaphoreFdKHR)                                                                        \
    F(ImportFenceFdKHR)                                                                            \
    F(CreateFence)                                                                                 \
    F(DestroyFence)

// On devices with the setting `check` or with swapchains that may be owned: object_calls.cpp.
#define FENCEBRIDGE_OBJECT_FUNCTIONS(F)                                                            \
    F(SetDebugUtilsObjectNameEXT)                                                                  \
    F(SetDebugUtilsObjectTagEXT)                                                                   \
    F(DebugMarkerSetObjectNameEXT)                                                                 \
    F(DebugMarkerSetObjectTagEXT)                                                                  \
    F(SetPrivateData)                                                                              \
    F(SetPrivateDataEXT)                                                                           \
    F(GetPrivateData)                                                                              \
    F(GetPrivateDataEXT)                                                                           \
    F(DestroyPrivateDataSlot)                                                                      \
    F(DestroyPrivateDataSlotEXT)

// On sharing devices where a resource's use matters to the policy or the checks: touch_calls.cpp.
#define FENCEBRIDGE_TOUCHING_FUNCTIONS(F)                                                          \
    F(CreateImageView)                                                                             \
    F(DestroyImageView)                                                                            \
    F(CreateFramebuffer)                                                                           \
    F(DestroyFramebuffer)                                                                          \
    F(CmdBeginRenderPass)                                                                          \
    F(CmdBeginRenderPass2)                                                                         \
    F(CmdBeginRenderPass2KHR)                                                                      \
    F(CmdBeginRendering)                                                                           \
    F(CmdBeginRenderingKHR)                                                                        \
    F(CmdCopyBuffer)                                                                               \
    F(CmdCopyBuffer2)                                                                              \
    F(CmdCopyBuffer2KHR)                                                                           \
    F(CmdCopyImage)                                                                                \
    F(CmdCopyImage2)                                                                               \
    F(CmdCopyImage2KHR)                                                                            \
    F(CmdCopyBufferToImage)                                                                        \
    F(CmdCopyBufferToImage2)                                                                       \
    F(CmdCopyBufferToImage2KHR)                                                                    \
    F(CmdCopyImageToBuffer)                                                                        \
    F(CmdCopyImageToBuffer2)                                                                       \
    F(CmdCopyImageToBuffer2KHR)                                                                    \
    F(CmdBlitImage)                                                                                \
    F(CmdBlitImage2)                                                                               \
    F(CmdBlitImage2KHR)                                                                            \
    F(CmdResolveImage)                                                                             \
    F(CmdResolveImage2)                                                                            \
    F(CmdResolveImage2KHR)                                                                         \
    F(CmdFillBuffer)                                                                               \
    F(CmdUpdateBuffer)                                                                             \
    F(CmdClearColorImage)                                                                          \
    F(CmdClearDepthStencilImage)                                                                   \
    F(CmdCopyQueryPoolResults)

namespace fencebridge::entry {

// Each is the Vulkan function of its name, with its very signature; none throws.
// NOLINTNEXTLINE(bugprone-macro-parentheses): a declared name cannot stand in parentheses.
#define FENCEBRIDGE_DECLARE(name) std::remove_pointer_t<PFN_vk##name> name;
FENCEBRIDGE_INSTANCE_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_SURFACE_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_HEADLESS_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_ANY_SURFACE_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_SURFACE_DEVICE_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_DEVICE_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_PRESENTING_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_SHARING_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_OBJECT_FUNCTIONS(FENCEBRIDGE_DECLARE)
FENCEBRIDGE_TOUCHING_FUNCTIONS(FENCEBRIDGE_DECLARE)
#undef FENCEBRIDGE_DECLARE

} // namespace fencebridge::entry
