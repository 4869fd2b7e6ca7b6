#include "present/presentation.hpp"

#include "dispatch/chain.hpp"

#include <new>

namespace fencebridge {

namespace {

/// A swapchain's handle is its address: no driver's object has it.
VkSwapchainKHR handle_of(const Swapchain& swapchain) {
    return reinterpret_cast<VkSwapchainKHR>(
        const_cast<Swapchain*>(&swapchain)); // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

std::unique_ptr<Presenter> presenter_for(const VkSwapchainCreateInfoKHR& /*info*/) {
    return std::make_unique<HeadlessPresenter>();
}

/// The id of present number `index` in the call, or 0.
uint64_t present_id(const VkPresentInfoKHR& info, uint32_t index) {
    if (const auto* ids =
            find_in_chain<VkPresentIdKHR>(info.pNext, VK_STRUCTURE_TYPE_PRESENT_ID_KHR)) {
        return ids->pPresentIds != nullptr ? ids->pPresentIds[index] : 0;
    }
    return 0;
}

std::span<const VkFence> present_fences(const VkPresentInfoKHR& info) {
    const auto* fences = find_in_chain<VkSwapchainPresentFenceInfoEXT>(
        info.pNext, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_FENCE_INFO_EXT);
    return fences != nullptr ? std::span(fences->pFences, fences->swapchainCount)
                             : std::span<const VkFence>();
}

} // namespace

PresentMethod Presentation::choose(SurfaceKind surface) {
    const PresentChoice choice =
        choose_present(device_.instance->settings.present, surface, device_.presents);
    if (!said_.at(static_cast<size_t>(surface)).first()) {
        return choice.method;
    }
    if (choice.refused != nullptr) {
        log(LogLevel::Warn, "present %s cannot be had: %s",
            name(device_.instance->settings.present), choice.refused);
    }
    log(LogLevel::Info, "%s: present %s (%s)", device_.capabilities.device_name.c_str(),
        name(choice.method), choice.why);
    return choice.method;
}

VkResult Presentation::create(const VkSwapchainCreateInfoKHR& info,
                              const VkAllocationCallbacks* allocator, VkSwapchainKHR* handle) {
    if (const auto old = find(info.oldSwapchain)) {
        old->retire();
    }
    const auto swapchain = std::make_shared<Swapchain>(device_, presenter_for(info));
    VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;
    try {
        result = swapchain->make(info, allocator);
        if (result == VK_SUCCESS) {
            owned_.insert(handle_of(*swapchain), swapchain);
        }
    } catch (const std::bad_alloc&) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (result != VK_SUCCESS) {
        swapchain->destroy(allocator);
        return result;
    }
    *handle = handle_of(*swapchain);
    return VK_SUCCESS;
}

void Presentation::waits_for(VkSwapchainKHR handle) {
    waited_.insert(handle, std::make_shared<WaitedPresent>(device_.calls()));
}

bool Presentation::destroy(VkSwapchainKHR handle, const VkAllocationCallbacks* allocator) {
    waited_.erase(handle);
    const auto swapchain = find(handle);
    if (!swapchain) {
        return false;
    }
    owned_.erase(handle);
    private_data.forget_object(reinterpret_cast<uint64_t>(handle));
    swapchain->destroy(allocator);
    return true;
}

VkResult Presentation::present(VkQueue queue, const VkPresentInfoKHR& info) {
    std::vector<Shown> shown;
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (auto swapchain = find(info.pSwapchains[i])) {
            shown.push_back({std::move(swapchain), info.pImageIndices[i], present_id(info, i)});
        }
    }
    if (shown.size() == info.swapchainCount) {
        return present_owned(queue, info, std::move(shown));
    }
    if (!shown.empty()) {
        log(LogLevel::Error, "one present of owned and of the driver's swapchains: not possible");
        return VK_ERROR_SURFACE_LOST_KHR;
    }
    for (uint32_t i = 0; i < info.swapchainCount; ++i) {
        if (const auto waited = waited_.find(info.pSwapchains[i])) {
            return (*waited)->present(queue, info, info.pImageIndices[i]);
        }
    }
    return device_.next.QueuePresentKHR(queue, &info);
}

/// One submit waits for the application's semaphores and puts its fence on all images; then the
/// window systems get them.
VkResult Presentation::present_owned(VkQueue queue, const VkPresentInfoKHR& info,
                                     std::vector<Shown> shown) {
    std::vector<SharedMemoryRef> memories;
    memories.reserve(shown.size());
    for (const Shown& one : shown) {
        memories.push_back(one.swapchain->images()[one.image].memory());
    }
    const std::span<const VkFence> fences = present_fences(info);
    const auto show_all = [shown = std::move(shown)]() noexcept {
        for (const Shown& one : shown) {
            one.swapchain->show(one.image, one.id);
        }
    };
    const VkResult result =
        bridge_->queue(queue).hand_out({info.pWaitSemaphores, info.waitSemaphoreCount}, memories,
                                       fences.empty() ? VK_NULL_HANDLE : fences.front(), show_all);
    // The slot has room for one; what follows on the queue signals when all before it is done.
    for (size_t i = 1; i < fences.size() && result == VK_SUCCESS; ++i) {
        if (fences[i] != VK_NULL_HANDLE) {
            count(device_.counters.trailing_submits);
            device_.next.QueueSubmit(queue, 0, nullptr, fences[i]);
        }
    }
    for (uint32_t i = 0; info.pResults != nullptr && i < info.swapchainCount; ++i) {
        info.pResults[i] = result;
    }
    return result;
}

} // namespace fencebridge
