#include "present/swapchain.hpp"

#include "dispatch/chain.hpp"
#include "fence/sync_file.hpp"
#include "fence/temporary_payload.hpp"
#include "handoff/hand_off_trace.hpp"
#include "present/in_a_window.hpp"
#include "present/modifiers.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>

namespace fencebridge {

namespace {

/// Vulkan counts from bad (negative) through good (0) to remarks (positive); what was said last
/// holds, but for good words after bad ones.
bool is_lost(VkResult status) {
    return status < 0;
}

} // namespace

Deadline deadline_of(uint64_t timeout) {
    // What overflows the clock is no deadline.
    constexpr auto longest = std::chrono::hours(24 * 365);
    if (timeout >= static_cast<uint64_t>(std::chrono::nanoseconds(longest).count())) {
        return std::nullopt;
    }
    return std::chrono::steady_clock::now() + std::chrono::nanoseconds(timeout);
}

Swapchain::Swapchain(const Device& device, Bridge& bridge, std::shared_ptr<Surface> surface,
                     std::unique_ptr<Presenter> presenter)
    : device_(device), bridge_(bridge), surface_(std::move(surface)),
      presenter_(std::move(presenter)) {}

Swapchain::~Swapchain() = default;

/// Fills parameters_.
void Swapchain::describe(const VkSwapchainCreateInfoKHR& info) {
    mode_ = info.presentMode;
    if (info.imageSharingMode == VK_SHARING_MODE_CONCURRENT) {
        families_.assign(info.pQueueFamilyIndices,
                         info.pQueueFamilyIndices + info.queueFamilyIndexCount);
    }
    parameters_ = {
        .info =
            {
                .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                .imageType = VK_IMAGE_TYPE_2D,
                .format = info.imageFormat,
                .extent = {info.imageExtent.width, info.imageExtent.height, 1},
                .mipLevels = 1,
                .arrayLayers = info.imageArrayLayers,
                .samples = VK_SAMPLE_COUNT_1_BIT,
                .usage = info.imageUsage,
                .sharingMode = info.imageSharingMode,
                .queueFamilyIndexCount = static_cast<uint32_t>(families_.size()),
                .pQueueFamilyIndices = families_.data(),
                .initialLayout = VK_IMAGE_LAYOUT_UNDEFINED,
            },
        .view_formats = {},
        .modifiers = {},
    };
    if ((info.flags & VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR) != 0) {
        parameters_.info.flags |=
            VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT;
        if (const auto* formats = find_in_chain<VkImageFormatListCreateInfo>(
                info.pNext, VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO)) {
            parameters_.view_formats.assign(formats->pViewFormats,
                                            formats->pViewFormats + formats->viewFormatCount);
        }
    }
}

VkResult Swapchain::make_images(uint32_t count, std::span<const uint64_t> modifiers,
                                const VkAllocationCallbacks* allocator) {
    parameters_.modifiers.assign(modifiers.begin(), modifiers.end());
    images_ = std::make_unique<SwapchainImage[]>(count);
    image_count_ = count;
    for (uint32_t i = 0; i < count; ++i) {
        if (const VkResult result = images_[i].make(device_, parameters_, allocator);
            result != VK_SUCCESS) {
            return result;
        }
    }
    return VK_SUCCESS;
}

VkResult Swapchain::make(const VkSwapchainCreateInfoKHR& info,
                         const VkAllocationCallbacks* allocator) {
    describe(info);
    uint32_t count = info.minImageCount;
    for (const VkPresentModeKHR mode : present_modes(info)) {
        count = std::max(count, presenter_->fewest_images(mode));
    }
    const std::vector<uint64_t> usable =
        usable_modifiers(device_, parameters_.info, parameters_.view_formats);
    for (const std::vector<uint64_t>& modifiers : presenter_->modifier_sets(usable)) {
        if (modifiers.empty() &&
            !can_make_linear(device_, parameters_.info, parameters_.view_formats)) {
            continue;
        }
        if (const VkResult result = make_images(count, modifiers, allocator);
            result != VK_SUCCESS) {
            return result;
        }
        if (presenter_->take(images(), *this)) {
            for (uint32_t i = 0; i < count; ++i) {
                idle_.push_back(i);
            }
            return VK_SUCCESS;
        }
        destroy_images(allocator);
    }
    return VK_ERROR_FORMAT_NOT_SUPPORTED;
}

VkResult Swapchain::make_alias(const VkAllocationCallbacks* allocator, VkImage* image) const {
    return images_[0].make_alias(device_, parameters_, allocator, image);
}

void Swapchain::destroy(const VkAllocationCallbacks* allocator) {
    // What is still put off has no image to show any more.
    order_.close();
    destroy_images(allocator);
}

void Swapchain::destroy_images(const VkAllocationCallbacks* allocator) {
    for (uint32_t i = 0; i < image_count_; ++i) {
        images_[i].destroy(device_, allocator);
    }
    image_count_ = 0;
}

/// VK_NOT_READY where there is none.
VkResult Swapchain::take_idle(uint32_t* index) {
    const std::lock_guard guard(mutex_);
    if (retired_) {
        return VK_ERROR_OUT_OF_DATE_KHR;
    }
    if (is_lost(status_)) {
        return status_;
    }
    if (idle_.empty()) {
        return VK_NOT_READY;
    }
    *index = idle_.front();
    idle_.pop_front();
    return VK_SUCCESS;
}

VkResult Swapchain::status() const {
    const std::lock_guard guard(mutex_);
    return status_;
}

/// What is lost stays lost.
void Swapchain::heard(VkResult result) {
    const std::lock_guard guard(mutex_);
    if (!is_lost(status_)) {
        status_ = result;
    }
}

/// Presents that were put off behind another process's timeline are looked for here: no call of
/// this process may come that finds its value reached, and an image comes back only when shown.
VkResult Swapchain::listen(Deadline deadline) {
    if (!bridge_.timelines.any_unresolved()) {
        return presenter_->listen(deadline);
    }
    complete_all(bridge_.timelines.look_again());
    constexpr std::chrono::milliseconds look(4);
    const auto soon = std::chrono::steady_clock::now() + look;
    const Deadline patience = deadline ? std::min(*deadline, soon) : soon;
    const VkResult result = presenter_->listen(patience);
    return result == VK_TIMEOUT && patience != deadline ? VK_SUCCESS : result;
}

VkResult Swapchain::acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                            uint32_t* index) {
    const Deadline deadline = deadline_of(timeout);
    for (;;) {
        if (const VkResult result = take_idle(index); result != VK_NOT_READY) {
            if (is_lost(result)) {
                return result;
            }
            break;
        }
        const VkResult result = listen(deadline);
        if (result == VK_TIMEOUT) {
            return timeout == 0 ? VK_NOT_READY : VK_TIMEOUT;
        }
        if (result != VK_SUCCESS) {
            heard(result);
        }
    }
    const VkResult result = signal(*index, semaphore, fence);
    if (result != VK_SUCCESS) {
        const std::lock_guard guard(mutex_);
        idle_.push_front(*index);
        return result;
    }
    return status();
}

/// Gives semaphore and fence what is pending on the image as their payload. -1 is the SYNC_FD of
/// what has signalled already.
VkResult Swapchain::signal(uint32_t index, VkSemaphore semaphore, VkFence fence) {
    const auto buffer = images_[index].memory()->dma_buf();
    count(device_.counters.acquires);
    HandOffTrace trace = HandOffTrace::without_queue(device_);
    trace.begin();
    const HandOff hand_off{images_[index].memory(), Direction::Acquire, Access::Write,
                           Origin::Present};
    const uint64_t look = trace.now();
    UniqueFd pending;
    if (buffer->is_idle(Access::Write)) {
        count(device_.counters.acquires_idle);
        trace.acquired(hand_off, buffer.get(), TraceOutcome::Idle, look);
    } else {
        pending = buffer->export_fences(Access::Write);
        trace.looked(hand_off, buffer.get(), look);
        if (!pending) {
            static Once once;
            count(device_.counters.fallbacks);
            count(device_.counters.waits_on_cpu);
            if (once.first()) {
                log(LogLevel::Warn, "an acquired image's fences cannot be had (%s): the CPU waits",
                    error_text(errno));
            }
            const auto timeout = device_.instance->settings.acquire_timeout;
            trace.settled(buffer->wait_idle(Access::Write, timeout) == SyncWait::Signalled
                              ? TraceOutcome::CpuWait
                              : TraceOutcome::TimedOut);
        } else {
            count(device_.counters.waits_imported);
            trace.settled(TraceOutcome::Imported);
        }
    }
    if (fence != VK_NULL_HANDLE) {
        UniqueFd own = pending ? UniqueFd::duplicate(pending.get()) : UniqueFd();
        if (pending && !own) {
            // No descriptor left for the second payload: wait, and both are "signalled already".
            wait_sync_file(pending.get(), device_.instance->settings.acquire_timeout);
            pending.reset();
        }
        if (const VkResult result = import_into_fence(device_.calls(), fence, own);
            result != VK_SUCCESS) {
            return result;
        }
    }
    if (semaphore == VK_NULL_HANDLE) {
        return VK_SUCCESS;
    }
    const VkResult result = import_into_semaphore(device_.calls(), semaphore, pending);
    if (result != VK_SUCCESS && fence != VK_NULL_HANDLE) {
        // An acquire that fails leaves nothing behind.
        device_.next.ResetFences(device_.handle, 1, &fence);
    }
    return result;
}

void Swapchain::give_back(std::span<const uint32_t> indices) {
    const std::lock_guard guard(mutex_);
    idle_.insert(idle_.end(), indices.begin(), indices.end());
}

void Swapchain::show(PresentOrder::Number number, bool in_its_call) noexcept {
    order_.ready(number, [&](PresentRequest request) noexcept {
        if (!in_its_call) {
            // Another call than the present's: it must not wait for a window that nobody looks at.
            constexpr std::chrono::milliseconds some_refreshes(100);
            request.deadline = std::chrono::steady_clock::now() + some_refreshes;
        }
        show_now(request);
    });
}

void Swapchain::forget(PresentOrder::Number number) noexcept {
    order_.forget(number, [&](const PresentRequest& request) noexcept { show_now(request); });
}

void Swapchain::show_now(const PresentRequest& request) noexcept {
    if (request.id != 0) {
        try {
            // Its readers wait for the present's work.
            UniqueFd done = images_[request.image].memory()->dma_buf()->export_fences(Access::Read);
            const std::lock_guard guard(mutex_);
            std::erase_if(shown_, [&](const auto& one) {
                const bool is_done = is_signalled(one.second.get());
                done_id_ = is_done ? std::max(done_id_, one.first) : done_id_;
                return is_done;
            });
            shown_.emplace_back(request.id, std::move(done));
        } catch (const std::exception& problem) {
            log(LogLevel::Error, "a present cannot be waited for: %s", problem.what());
        }
    }
    heard(presenter_->show(request));
    const std::lock_guard guard(mutex_);
    shown_id_ = std::max(shown_id_, request.id);
    changed_.notify_all();
}

VkResult Swapchain::wait_for_present(uint64_t id, uint64_t timeout) {
    const Deadline deadline = deadline_of(timeout);
    UniqueFd done;
    {
        std::unique_lock lock(mutex_);
        if (!wait_until(changed_, lock, deadline, [&] { return shown_id_ >= id || retired_; })) {
            return VK_TIMEOUT;
        }
        if (shown_id_ < id) {
            return VK_ERROR_OUT_OF_DATE_KHR;
        }
        const auto shown = std::find_if(shown_.begin(), shown_.end(),
                                        [&](const auto& one) { return one.first >= id; });
        if (id > done_id_ && shown != shown_.end()) {
            done = UniqueFd::duplicate(shown->second.get());
        }
    }
    if (done) {
        using std::chrono::milliseconds;
        const auto left = deadline ? std::chrono::ceil<milliseconds>(
                                         std::max(std::chrono::steady_clock::duration::zero(),
                                                  *deadline - std::chrono::steady_clock::now()))
                                   : milliseconds(-1);
        if (wait_sync_file(done.get(), left) == SyncWait::TimedOut) {
            return VK_TIMEOUT;
        }
        const std::lock_guard guard(mutex_);
        done_id_ = std::max(done_id_, id);
    }
    return presenter_->wait_until_shown(id, deadline);
}

void Swapchain::retire() {
    presenter_->retire();
    const std::lock_guard guard(mutex_);
    retired_ = true;
    changed_.notify_all();
}

void Swapchain::yield() {
    presenter_->yield();
    heard(VK_ERROR_OUT_OF_DATE_KHR);
}

void Swapchain::released(uint32_t image) noexcept {
    try {
        const std::lock_guard guard(mutex_);
        idle_.push_back(image);
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "a swapchain's image is lost: %s", problem.what());
    }
}

} // namespace fencebridge
