#include "present/swapchain.hpp"

#include "dispatch/chain.hpp"
#include "fence/sync_file.hpp"
#include "report/log.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <optional>

namespace fencebridge {

namespace {

using std::chrono::nanoseconds;

/// No deadline for what overflows the clock.
std::optional<std::chrono::steady_clock::time_point> deadline_of(uint64_t timeout) {
    constexpr auto longest = std::chrono::hours(24 * 365);
    if (timeout >= static_cast<uint64_t>(nanoseconds(longest).count())) {
        return std::nullopt;
    }
    return std::chrono::steady_clock::now() + nanoseconds(timeout);
}

template<typename Ready>
bool wait_until(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                std::optional<std::chrono::steady_clock::time_point> deadline, Ready ready) {
    if (!deadline) {
        changed.wait(lock, ready);
        return true;
    }
    return changed.wait_until(lock, *deadline, ready);
}

} // namespace

Swapchain::Swapchain(const Device& device, std::unique_ptr<Presenter> presenter)
    : device_(device), presenter_(std::move(presenter)) {}

Swapchain::~Swapchain() = default;

VkResult Swapchain::make(const VkSwapchainCreateInfoKHR& info,
                         const VkAllocationCallbacks* allocator) {
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
    if ((info.flags & VK_SWAPCHAIN_CREATE_PROTECTED_BIT_KHR) != 0) {
        log(LogLevel::Error, "an owned swapchain cannot be protected");
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    if ((info.flags & VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR) != 0) {
        parameters_.info.flags |=
            VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT | VK_IMAGE_CREATE_EXTENDED_USAGE_BIT;
        if (const auto* formats = find_in_chain<VkImageFormatListCreateInfo>(
                info.pNext, VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO)) {
            parameters_.view_formats.assign(formats->pViewFormats,
                                            formats->pViewFormats + formats->viewFormatCount);
        }
    }
    images_ = std::make_unique<SwapchainImage[]>(info.minImageCount);
    image_count_ = info.minImageCount;
    for (uint32_t i = 0; i < image_count_; ++i) {
        if (const VkResult result = images_[i].make(device_, parameters_, allocator);
            result != VK_SUCCESS) {
            return result;
        }
        idle_.push_back(i);
    }
    return VK_SUCCESS;
}

VkResult Swapchain::make_alias(const VkAllocationCallbacks* allocator, VkImage* image) const {
    return images_[0].make_alias(device_, parameters_, allocator, image);
}

void Swapchain::destroy(const VkAllocationCallbacks* allocator) {
    for (uint32_t i = 0; i < image_count_; ++i) {
        images_[i].destroy(device_, allocator);
    }
}

VkResult Swapchain::acquire(uint64_t timeout, VkSemaphore semaphore, VkFence fence,
                            uint32_t* index) {
    {
        std::unique_lock lock(mutex_);
        if (retired_) {
            return VK_ERROR_OUT_OF_DATE_KHR;
        }
        const auto has_image = [this] { return !idle_.empty() || retired_; };
        if (!wait_until(changed_, lock, deadline_of(timeout), has_image)) {
            return timeout == 0 ? VK_NOT_READY : VK_TIMEOUT;
        }
        if (idle_.empty()) {
            return VK_ERROR_OUT_OF_DATE_KHR;
        }
        *index = idle_.front();
        idle_.pop_front();
    }
    const VkResult result = signal(*index, semaphore, fence);
    if (result != VK_SUCCESS) {
        const std::lock_guard guard(mutex_);
        idle_.push_front(*index);
    }
    return result;
}

/// Gives semaphore and fence what is pending on the image as their payload. -1 is the SYNC_FD of
/// what has signalled already.
VkResult Swapchain::signal(uint32_t index, VkSemaphore semaphore, VkFence fence) {
    const auto buffer = images_[index].memory()->dma_buf();
    count(device_.counters.acquires);
    UniqueFd pending;
    if (buffer->is_idle(Access::Write)) {
        count(device_.counters.acquires_idle);
    } else {
        pending = buffer->export_fences(Access::Write);
        if (!pending) {
            static Once once;
            count(device_.counters.fallbacks);
            count(device_.counters.waits_on_cpu);
            if (once.first()) {
                log(LogLevel::Warn, "an acquired image's fences cannot be had (%s): the CPU waits",
                    error_text(errno));
            }
            (void)buffer->wait_idle(Access::Write, device_.instance->settings.acquire_timeout);
        } else {
            count(device_.counters.waits_imported);
        }
    }
    if (fence != VK_NULL_HANDLE) {
        UniqueFd own = pending ? UniqueFd::duplicate(pending.get()) : UniqueFd();
        if (pending && !own) {
            // No descriptor left for the second payload: wait, and both are "signalled already".
            wait_sync_file(pending.get(), device_.instance->settings.acquire_timeout);
            pending.reset();
        }
        const VkImportFenceFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_IMPORT_FENCE_FD_INFO_KHR,
            .fence = fence,
            .flags = VK_FENCE_IMPORT_TEMPORARY_BIT,
            .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
            .fd = own.get(),
        };
        if (const VkResult result = device_.next.ImportFenceFdKHR(device_.handle, &info);
            result != VK_SUCCESS) {
            return result;
        }
        (void)own.release();
    }
    if (semaphore != VK_NULL_HANDLE) {
        const VkImportSemaphoreFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
            .semaphore = semaphore,
            .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
            .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
            .fd = pending.get(),
        };
        if (const VkResult result = device_.next.ImportSemaphoreFdKHR(device_.handle, &info);
            result != VK_SUCCESS) {
            return result;
        }
        (void)pending.release();
    }
    return VK_SUCCESS;
}

void Swapchain::give_back(std::span<const uint32_t> indices) {
    const std::lock_guard guard(mutex_);
    idle_.insert(idle_.end(), indices.begin(), indices.end());
    changed_.notify_all();
}

void Swapchain::show(uint32_t index, uint64_t id) noexcept {
    if (id != 0) {
        try {
            // Its readers wait for the present's work.
            UniqueFd done = images_[index].memory()->dma_buf()->export_fences(Access::Read);
            const std::lock_guard guard(mutex_);
            std::erase_if(shown_, [](const auto& one) { return is_signalled(one.second.get()); });
            shown_.emplace_back(id, std::move(done));
            shown_id_ = std::max(shown_id_, id);
        } catch (const std::exception& problem) {
            log(LogLevel::Error, "a present cannot be waited for: %s", problem.what());
        }
        changed_.notify_all();
    }
    presenter_->show(index, *this);
}

VkResult Swapchain::wait_for_present(uint64_t id, uint64_t timeout) {
    const auto deadline = deadline_of(timeout);
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
        if (shown == shown_.end()) {
            return VK_SUCCESS;
        }
        done = UniqueFd::duplicate(shown->second.get());
    }
    const auto left = deadline ? std::chrono::ceil<std::chrono::milliseconds>(
                                     std::max(Clock::duration::zero(), *deadline - Clock::now()))
                               : std::chrono::milliseconds(-1);
    return wait_sync_file(done.get(), left) == SyncWait::TimedOut ? VK_TIMEOUT : VK_SUCCESS;
}

void Swapchain::retire() {
    const std::lock_guard guard(mutex_);
    retired_ = true;
    changed_.notify_all();
}

void Swapchain::released(uint32_t image) noexcept {
    try {
        const std::lock_guard guard(mutex_);
        idle_.push_back(image);
    } catch (const std::exception& problem) {
        log(LogLevel::Error, "a swapchain's image is lost: %s", problem.what());
    }
    changed_.notify_all();
}

} // namespace fencebridge
