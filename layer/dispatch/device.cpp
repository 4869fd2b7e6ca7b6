#include "dispatch/device.hpp"

#include "dispatch/aliases.hpp"
#include "dispatch/chain.hpp"
#include "dispatch/extensions.hpp"
#include "dispatch/features.hpp"
#include "dispatch/probe.hpp"
#include "fence/vgem.hpp"

#include <span>

namespace fencebridge {

namespace {

/// SYNC_FD and our own timelines need these; they promote nothing and change nothing for an
/// application that does not name them.
void add_what_we_need(ExtensionList& extensions, const Capabilities& capabilities,
                      bool has_properties2) {
    const std::span available(capabilities.extensions);
    const uint32_t api_version = capabilities.api_version;
    if (api_version < VK_API_VERSION_1_1) {
        extensions.add_if_available(VK_KHR_EXTERNAL_SEMAPHORE_EXTENSION_NAME, available);
        extensions.add_if_available(VK_KHR_EXTERNAL_FENCE_EXTENSION_NAME, available);
    }
    if (has_properties2 && api_version < VK_API_VERSION_1_2) {
        extensions.add_if_available(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME, available);
    }
    extensions.add_if_available(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME, available);
    extensions.add_if_available(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME, available);
    extensions.add_if_available(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME, available);
    extensions.add_if_available(VK_EXT_QUEUE_FAMILY_FOREIGN_EXTENSION_NAME, available);
}

/// Images on dma-bufs, whose layout the window system understands. Half of the list is core in
/// Vulkan 1.1; vkcube is not the only one who still asks for 1.0.
void add_what_owned_swapchains_need(ExtensionList& extensions, const Capabilities& capabilities) {
    const std::span available(capabilities.extensions);
    if (capabilities.api_version < VK_API_VERSION_1_1) {
        for (const char* const extension :
             {VK_KHR_BIND_MEMORY_2_EXTENSION_NAME, VK_KHR_DEDICATED_ALLOCATION_EXTENSION_NAME,
              VK_KHR_EXTERNAL_MEMORY_EXTENSION_NAME,
              VK_KHR_GET_MEMORY_REQUIREMENTS_2_EXTENSION_NAME, VK_KHR_MAINTENANCE_1_EXTENSION_NAME,
              VK_KHR_SAMPLER_YCBCR_CONVERSION_EXTENSION_NAME}) {
            extensions.add_if_available(extension, available);
        }
    }
    extensions.add_if_available(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME, available);
    if (capabilities.api_version < VK_API_VERSION_1_2) {
        extensions.add_if_available(VK_KHR_IMAGE_FORMAT_LIST_EXTENSION_NAME, available);
    }
    extensions.add_if_available(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME, available);
}

/// An extension that is not enabled has no business in a choice, whatever the queries say.
void limit_to_enabled(Device& device, const ExtensionList& enabled) {
    FenceCapabilities& fences = device.capabilities.fences;
    if (!enabled.contains(VK_KHR_EXTERNAL_SEMAPHORE_FD_EXTENSION_NAME)) {
        fences.semaphore_export = false;
        fences.semaphore_import = false;
    }
    if (!enabled.contains(VK_KHR_EXTERNAL_FENCE_FD_EXTENSION_NAME)) {
        fences.fence_export = false;
        fences.fence_import = false;
    }
    device.presents.dma_buf_export =
        device.capabilities.dma_buf_export &&
        enabled.contains(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME) &&
        enabled.contains(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME);
    device.has_modifiers = enabled.contains(VK_EXT_IMAGE_DRM_FORMAT_MODIFIER_EXTENSION_NAME);
}

const char* describe(KernelSupport support) {
    switch (support) {
    case KernelSupport::Full:
        return "has the dma-buf sync_file ioctls";
    case KernelSupport::Unsupported:
        return "lacks the dma-buf sync_file ioctls";
    case KernelSupport::Unknown:
        break;
    }
    return "not probed (no dma-buf to try it on)";
}

void report_choice(const Device& device) {
    const Settings& settings = device.instance->settings;
    if (settings.fence_source && device.source.refused != nullptr) {
        log(LogLevel::Warn, "fence source %s cannot be used: %s", name(*settings.fence_source),
            device.source.refused);
    }
    if (settings.acquire && device.acquire.refused != nullptr) {
        log(LogLevel::Warn, "acquire method %s cannot be used: %s", name(*settings.acquire),
            device.acquire.refused);
    }
    if (device.guard.refused != nullptr) {
        log(LogLevel::Warn, "no guard fences: %s", device.guard.refused);
    }
    log(LogLevel::Info,
        "%s [%s]: policy %s, fence source %s (%s), acquire %s (%s), guard %s (%s), kernel %s",
        device.capabilities.device_name.c_str(),
        device.capabilities.driver_name.empty() ? "driver unknown"
                                                : device.capabilities.driver_name.c_str(),
        name(settings.policy), name(device.source.kind), device.source.why,
        name(device.acquire.method), device.acquire.why, device.guard.on ? "on" : "off",
        device.guard.why, describe(device.capabilities.fences.kernel));
}

} // namespace

bool driver_knows_headless(const Instance& instance, VkPhysicalDevice physical_device) {
    return instance.headless_drivers == nullptr ||
           instance.headless_drivers->know(instance, physical_device);
}

bool may_own_swapchains(const Instance& instance, VkPhysicalDevice physical_device) {
    const PresentSetting setting = instance.settings.present;
    return may_own_swapchains(setting, driver_of(instance, physical_device).driverID) ||
           (setting == PresentSetting::Auto && !driver_knows_headless(instance, physical_device));
}

void foresee_device(const Instance& instance, VkPhysicalDevice physical_device, Device& device) {
    device.instance = &instance;
    device.physical_device = physical_device;
    device.capabilities = query_capabilities(instance, physical_device);
    ExtensionList extensions(nullptr, 0);
    add_what_we_need(extensions, device.capabilities, instance.has_properties2);
    add_what_owned_swapchains_need(extensions, device.capabilities);
    limit_to_enabled(device, extensions);
    device.presents.fences = device.capabilities.fences;
}

VkResult create_device(const Instance& instance, VkPhysicalDevice physical_device,
                       const VkDeviceCreateInfo& info, const VkAllocationCallbacks* allocator,
                       Device& device) {
    auto* link =
        find_link<VkLayerDeviceCreateInfo>(info.pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    if (link == nullptr || link->u.pLayerInfo == nullptr) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    VkLayerDeviceLink* const here = link->u.pLayerInfo;
    const PFN_vkGetDeviceProcAddr next_gdpa = here->pfnNextGetDeviceProcAddr;
    const auto next_create = reinterpret_cast<PFN_vkCreateDevice>(
        here->pfnNextGetInstanceProcAddr(instance.handle, "vkCreateDevice"));
    if (next_create == nullptr) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }

    ExtensionList extensions(info.ppEnabledExtensionNames, info.enabledExtensionCount);
    device.instance = &instance;
    device.physical_device = physical_device;
    const PresentSetting present = instance.settings.present;
    const bool presents =
        present != PresentSetting::Native && extensions.contains(VK_KHR_SWAPCHAIN_EXTENSION_NAME);
    const bool may_own = presents && instance.has_properties2 && instance.has_external_queries &&
                         may_own_swapchains(instance, physical_device);
    device.has_swapchains = may_own || (presents && present == PresentSetting::Wait);
    device.shares_memory =
        may_own || (instance.settings.policy != Policy::Off &&
                    extensions.contains(VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME));
    if (device.shares_memory || device.has_swapchains) {
        device.capabilities = query_capabilities(instance, physical_device);
    }
    if (device.shares_memory) {
        add_what_we_need(extensions, device.capabilities, instance.has_properties2);
        if (may_own) {
            add_what_owned_swapchains_need(extensions, device.capabilities);
        }
    }
    const bool has_timelines = device.capabilities.api_version >= VK_API_VERSION_1_2 ||
                               extensions.contains(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);

    VkDeviceCreateInfo ours = info;
    ours.ppEnabledExtensionNames = extensions.data();
    ours.enabledExtensionCount = extensions.size();
    const VkDevice loader_handle = device.handle;
    link->u.pLayerInfo = here->pNext;
    // Behind the link's advance: a copy of the chain has the link in it.
    const TimelineFeature timelines(info, device.shares_memory && has_timelines);
    ours.pNext = timelines.chain();
    device.capabilities.fences.timelines = timelines.enabled();
    VkResult result = next_create(physical_device, &ours, allocator, &device.handle);
    if (result != VK_SUCCESS &&
        (extensions.size() != info.enabledExtensionCount || timelines.added())) {
        log(LogLevel::Warn, "the driver refused our additions (%d): going on without them",
            static_cast<int>(result));
        device.capabilities.fences.timelines = timelines.enabled() && !timelines.added();
        extensions = ExtensionList(info.ppEnabledExtensionNames, info.enabledExtensionCount);
        link->u.pLayerInfo = here->pNext;
        device.handle = loader_handle;
        result = next_create(physical_device, &info, allocator, &device.handle);
    }
    link->u.pLayerInfo = here;
    if (result != VK_SUCCESS) {
        return result;
    }

    vkuInitDeviceDispatchTable(device.handle, &device.next, next_gdpa);
    unify_aliases(device.next);
    if (!device.shares_memory) {
        log(LogLevel::Debug, "a device that shares no memory: every call passes through");
        return VK_SUCCESS;
    }
    FenceCapabilities& fences = device.capabilities.fences;
    limit_to_enabled(device, extensions);
    if (extensions.contains(VK_EXT_EXTERNAL_MEMORY_DMA_BUF_EXTENSION_NAME)) {
        fences.kernel = probe_kernel(device);
    }
    fences.vgem = Vgem::open() != nullptr;
    device.source = choose_source(fences, instance.settings.fence_source);
    device.acquire = choose_acquire(fences, instance.settings.acquire);
    device.presents.fences = fences;
    device.exports_waits_of_presents = may_own && device.source.kind == SourceKind::Semaphore;
    device.guard = choose_guard(fences, instance.settings.guard);
    report_choice(device);
    if (!instance.settings.trace.empty()) {
        device.trace = trace_for(instance.settings.trace);
    }
    if (device.trace != nullptr) {
        device.trace_device = device.trace->add_device(device.capabilities.device_name.c_str());
    }
    return VK_SUCCESS;
}

} // namespace fencebridge
