#include "present/presentation.hpp"

#include "dispatch/chain.hpp"
#include "present/headless_answers.hpp"
#include "present/single_present.hpp"
#include "vulkan_handles.hpp"

#include <atomic>
#include <new>
#include <utility>

namespace fencebridge {

namespace {

/// A swapchain's handle is its address: no driver's object has it.
VkSwapchainKHR handle_of(const Swapchain& swapchain) {
    return handle_of_number<VkSwapchainKHR>(reinterpret_cast<uintptr_t>(&swapchain));
}

/// Of the call's swapchain number `index`, one array of a structure that has one element for each;
/// null where the structure or the array is not there.
template<typename Structure, typename Element>
const Element* element(const VkPresentInfoKHR& info, VkStructureType type,
                       const Element* Structure::* array, uint32_t index) {
    const auto* structure = find_in_chain<Structure>(info.pNext, type);
    return structure != nullptr && structure->*array != nullptr ? structure->*array + index
                                                                : nullptr;
}

PresentRequest request_of(const VkPresentInfoKHR& info, uint32_t index, VkPresentModeKHR mode) {
    PresentRequest request{.image = info.pImageIndices[index], .id = 0, .mode = mode, .damage = {}};
    const uint64_t* id =
        element(info, VK_STRUCTURE_TYPE_PRESENT_ID_KHR, &VkPresentIdKHR::pPresentIds, index);
#ifdef VK_KHR_present_id2
    if (id == nullptr) {
        id =
            element(info, VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR, &VkPresentId2KHR::pPresentIds, index);
    }
#endif
    if (id != nullptr) {
        request.id = *id;
    }
    if (const VkPresentModeKHR* own =
            element(info, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT,
                    &VkSwapchainPresentModeInfoEXT::pPresentModes, index)) {
        request.mode = *own;
    }
    if (const VkPresentRegionKHR* region = element(info, VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR,
                                                   &VkPresentRegionsKHR::pRegions, index);
        region != nullptr && region->pRectangles != nullptr) {
        request.damage.assign(region->pRectangles, region->pRectangles + region->rectangleCount);
    }
    return request;
}

std::span<const VkFence> present_fences(const VkPresentInfoKHR& info) {
    const auto* fences = find_in_chain<VkSwapchainPresentFenceInfoEXT>(
        info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT);
    return fences != nullptr ? std::span(fences->pFences, fences->swapchainCount)
                             : std::span<const VkFence>();
}

/// Of a call's several results the one that it returns: the first bad one, else the first remark.
VkResult worse(VkResult one, VkResult other) {
    if (one < 0 || other == VK_SUCCESS) {
        return one;
    }
    return other < 0 || one == VK_SUCCESS ? other : one;
}

} // namespace

/// The owned swapchains of one vkQueuePresentKHR: expected in each one's order, and forgotten at
/// its end where nothing was submitted.
struct Presentation::Call {
    explicit Call(std::vector<Shown> all) : shown(std::move(all)) {}
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    ~Call() {
        for (const Shown& one : shown) {
            if (!is_submitted && one.number != 0) {
                one.swapchain->forget(one.number);
            }
        }
    }

    void expect(const VkPresentInfoKHR& info) {
        for (Shown& one : shown) {
            one.number = one.swapchain->expect(request_of(info, one.index, one.swapchain->mode()));
        }
    }

    void show() noexcept {
        for (const Shown& one : shown) {
            one.swapchain->show(one.number, !has_returned);
        }
    }

    std::vector<Shown> shown;
    bool is_submitted = false;
    std::atomic<bool> has_returned = false; ///< from the submit: a later call shows
};

PresentMethod Presentation::choose(Surface* surface) {
    const SurfaceKind kind = surface != nullptr ? surface->kind() : SurfaceKind::Other;
    const PresentSetting setting = device_.instance->settings.present;
    const bool explicit_sync =
        setting == PresentSetting::Auto && surface != nullptr && surface->offers_explicit_sync();
    const PresentChoice choice = choose_present(setting, kind, explicit_sync, device_.presents);
    if (!said_.at(static_cast<size_t>(kind)).first()) {
        return choice.method;
    }
    if (choice.refused != nullptr) {
        log(LogLevel::Warn, "present %s cannot be had: %s", name(setting), choice.refused);
    }
    log(LogLevel::Info, "%s: present %s (%s surface: %s)", device_.capabilities.device_name.c_str(),
        name(choice.method), name(kind), choice.why);
    return choice.method;
}

VkResult Presentation::create(const VkSwapchainCreateInfoKHR& info,
                              const std::shared_ptr<Surface>& surface,
                              const VkAllocationCallbacks* allocator, VkSwapchainKHR* handle) {
    // It is retired even where the creation fails.
    if (const auto old = find(info.oldSwapchain)) {
        old->retire();
    }
    if (surface && !surface->driver_knows(*device_.instance, device_.physical_device)) {
        return create_without_driver(info, surface, allocator, handle);
    }
    const PresentMethod method = choose(surface.get());
    if (method == PresentMethod::Owned) {
        const char* refused = nullptr;
        const VkResult result = create_owned(info, surface, allocator, handle, refused);
        if (refused == nullptr) {
            return result;
        }
        count(device_.counters.fallbacks);
        if (said_refused_.at(static_cast<size_t>(surface->kind())).first()) {
            log(LogLevel::Warn, "a swapchain cannot be owned: %s: it is the driver's own", refused);
        }
        return create_native(info, surface.get(), PresentMethod::Native, allocator, handle);
    }
    return create_native(info, surface.get(), method, allocator, handle);
}

/// On a surface that the driver does not know.
VkResult Presentation::create_without_driver(const VkSwapchainCreateInfoKHR& info,
                                             const std::shared_ptr<Surface>& surface,
                                             const VkAllocationCallbacks* allocator,
                                             VkSwapchainKHR* handle) {
    const char* refused =
        no_swapchain_without_driver(device_.instance->settings.present, device_.presents);
    if (refused == nullptr) {
        const VkResult result = create_owned(info, surface, allocator, handle, refused);
        if (refused == nullptr) {
            if (said_.at(static_cast<size_t>(surface->kind())).first()) {
                log(LogLevel::Info, "%s: present owned (%s surface: the driver does not know it)",
                    device_.capabilities.device_name.c_str(), name(surface->kind()));
            }
            return result;
        }
    }
    return refuse_headless_swapchain(refused);
}

VkResult Presentation::create_native(const VkSwapchainCreateInfoKHR& info, Surface* surface,
                                     PresentMethod method, const VkAllocationCallbacks* allocator,
                                     VkSwapchainKHR* handle) {
    VkSwapchainCreateInfoKHR theirs = info;
    if (const auto old = find(info.oldSwapchain)) {
        old->yield();
        theirs.oldSwapchain = VK_NULL_HANDLE;
    }
    const VkResult result =
        device_.next.CreateSwapchainKHR(device_.handle, &theirs, allocator, handle);
    if (surface) {
        // A try is enough for what a driver leaves on the window.
        surface->had_by_driver(device_.capabilities.fences.driver);
    }
    if (result == VK_SUCCESS && method == PresentMethod::Wait) {
        try {
            waited_.insert(*handle, std::make_shared<WaitedPresent>(device_.calls()));
        } catch (const std::bad_alloc&) {
            device_.next.DestroySwapchainKHR(device_.handle, *handle, allocator);
            throw;
        }
    }
    return result;
}

/// `refused`: why not, where the window system or the image speaks against it; the result is
/// nothing then.
VkResult Presentation::create_owned(const VkSwapchainCreateInfoKHR& info,
                                    const std::shared_ptr<Surface>& surface,
                                    const VkAllocationCallbacks* allocator, VkSwapchainKHR* handle,
                                    const char*& refused) {
    std::shared_ptr<Swapchain> swapchain;
    VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;
    if (info.oldSwapchain != VK_NULL_HANDLE && !find(info.oldSwapchain)) {
        refused = "the driver's own, which it is to replace, still has the surface";
        return result;
    }
    if ((info.flags & VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR) != 0) {
        refused = "its images are protected";
        return result;
    }
    try {
        auto presenter = surface->make_presenter(device_, info, refused);
        if (!presenter) {
            return result;
        }
        swapchain = std::make_shared<Swapchain>(device_, *bridge_, surface, std::move(presenter));
        result = swapchain->make(info, allocator);
        if (result == VK_SUCCESS) {
            owned_.insert(handle_of(*swapchain), swapchain);
        }
    } catch (const std::bad_alloc&) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (result == VK_SUCCESS) {
        *handle = handle_of(*swapchain);
        return result;
    }
    if (swapchain) {
        swapchain->destroy(allocator);
    }
    if (result == VK_ERROR_FORMAT_NOT_SUPPORTED) {
        refused = "the window system takes no buffer that the driver makes for it";
    }
    return result;
}

bool Presentation::destroy(VkSwapchainKHR handle, const VkAllocationCallbacks* allocator) {
    waited_.erase(handle);
    relays_.erase(handle);
    const auto swapchain = find(handle);
    if (!swapchain) {
        return false;
    }
    owned_.erase(handle);
    private_data.forget_object(number_of(handle));
    swapchain->destroy(allocator);
    return true;
}

VkResult Presentation::present(VkQueue queue, const VkPresentInfoKHR& info) {
    std::vector<Shown> shown;
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (auto swapchain = find(info.pSwapchains[i])) {
            const SwapchainImage* image = &swapchain->images()[info.pImageIndices[i]];
            shown.push_back({i, std::move(swapchain), image});
        }
    }
    if (!shown.empty()) {
        return present_owned(queue, info, std::move(shown));
    }
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (const auto waited = waited_.find(info.pSwapchains[i])) {
            return (*waited)->present(queue, info, info.pImageIndices[i]);
        }
    }
    return device_.next.QueuePresentKHR(queue, &info);
}

/// The fence of what the application's semaphores stand for goes on all images; then the window
/// systems get them. The driver's own swapchains of the same call follow.
VkResult Presentation::present_owned(VkQueue queue, const VkPresentInfoKHR& info,
                                     std::vector<Shown> shown) {
    std::vector<SharedMemoryRef> memories;
    std::vector<VkFence> fences;
    std::vector<bool> is_ours(info.swapchainCount, false);
    const std::span<const VkFence> all_fences = present_fences(info);
    for (const Shown& one : shown) {
        memories.push_back(one.image->memory());
        is_ours[one.index] = true;
        if (!all_fences.empty() && all_fences[one.index] != VK_NULL_HANDLE) {
            fences.push_back(all_fences[one.index]);
        }
    }
    const auto call = std::make_shared<Call>(std::move(shown));
    call->expect(info);
    const std::span waits(info.pWaitSemaphores, info.waitSemaphoreCount);
    const VkResult submitted = bridge_->queue(queue).hand_out({
        .waits = waits,
        .may_export_waits =
            call->shown.size() == info.swapchainCount && bridge_->may_export_waits(waits, fences),
        .memories = memories,
        .fences = fences,
        .then = [call]() noexcept { call->show(); },
    });
    call->is_submitted = submitted == VK_SUCCESS;
    call->has_returned = true;
    VkResult result = submitted;
    const auto ended = [&](uint32_t index, VkResult one) {
        result = worse(result, one);
        if (info.pResults != nullptr) {
            info.pResults[index] = one;
        }
    };
    for (const Shown& one : call->shown) {
        ended(one.index, submitted == VK_SUCCESS ? one.swapchain->status() : submitted);
    }
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (!is_ours[i]) {
            ended(i, submitted == VK_SUCCESS ? present_behind(queue, info, i) : submitted);
        }
    }
    return result;
}

/// A swapchain of the driver's, behind everything that is on the queue: the application's
/// semaphores were waited for there.
VkResult Presentation::present_behind(VkQueue queue, const VkPresentInfoKHR& info, uint32_t index) {
    const VkSwapchainKHR swapchain = info.pSwapchains[index];
    auto relays = relays_.find(swapchain).value_or(nullptr);
    if (!relays) {
        relays = std::make_shared<RelaySemaphores>(device_.calls());
        relays_.insert(swapchain, relays);
    }
    const VkSemaphore relay = relays->of_image(info.pImageIndices[index]);
    if (relay == VK_NULL_HANDLE) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const VkSubmitInfo signal{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &relay,
    };
    count(device_.counters.trailing_submits);
    if (const VkResult result = device_.next.QueueSubmit(queue, 1, &signal, VK_NULL_HANDLE);
        result != VK_SUCCESS) {
        return result;
    }
    const SinglePresent present(info, index, relay);
    return device_.next.QueuePresentKHR(queue, &present.info());
}

} // namespace fencebridge
