#include "bench/handoff_floor.hpp"

#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"

#include <linux/dma-buf.h>
#include <linux/sync_file.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <sys/ioctl.h>
#include <thread>

namespace fencebridge::test {

namespace {

void must(bool worked, const char* what) {
    if (!worked) {
        std::fprintf(stderr, "%s failed\n", what);
        std::abort();
    }
}

void attach(Buffers buffers, int sync_file) {
    for (const auto& buffer : buffers) {
        must(import_sync_file(buffer->dma_buf, sync_file, DMA_BUF_SYNC_WRITE) == 0,
             "IMPORT_SYNC_FILE");
    }
}

/// What a driver exported, which is the caller's: -1 stands for work that is done.
void attach_payload(Buffers buffers, int fd) {
    if (fd >= 0) {
        attach(buffers, Fd(fd).get());
    }
}

bool exports_sync_fd(const VulkanContext& context, VkStructureType type) {
    const VkPhysicalDeviceExternalFenceInfo fence{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    const VkPhysicalDeviceExternalSemaphoreInfo semaphore{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkExternalFenceProperties of_fence{.sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES};
    VkExternalSemaphoreProperties of_semaphore{.sType =
                                                   VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
    vkGetPhysicalDeviceExternalFenceProperties(context.physical_device, &fence, &of_fence);
    vkGetPhysicalDeviceExternalSemaphoreProperties(context.physical_device, &semaphore,
                                                   &of_semaphore);
    return type == VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
               ? (of_fence.externalFenceFeatures & VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT) != 0
               : (of_semaphore.externalSemaphoreFeatures &
                  VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT) != 0;
}

/// A fence of vgem's on the buffers from before a submit to the end of this object.
class Guard {
public:
    Guard(bool is_wanted, const VgemBuffer* vgem, Buffers buffers) {
        if (is_wanted) {
            fence_.emplace(vgem->attach(Usage::Write));
            attach(buffers, fence_->sync_file());
        }
    }

private:
    std::optional<VgemFence> fence_;
};

class FenceFloor final : public ReleaseFloor {
public:
    FenceFloor(const VulkanContext& context, bool is_guarded)
        : context_(context), get_fd_(context.function<PFN_vkGetFenceFdKHR>("vkGetFenceFdKHR")),
          is_guarded_(is_guarded) {
        const VkExportFenceCreateInfo exported{
            .sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
            .handleTypes = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        const VkFenceCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO,
            .pNext = &exported,
        };
        FB_VK(vkCreateFence(context.device, &info, nullptr, &fence_));
        if (is_guarded) {
            vgem_ = std::make_unique<VgemBuffer>();
        }
    }
    ~FenceFloor() override { vkDestroyFence(context_.device, fence_, nullptr); }

    void submit(const CommandBuffer& commands, Buffers buffers) override {
        const Guard guard(is_guarded_, vgem_.get(), buffers);
        FB_VK(test::submit(context_.queue, commands, fence_));
        const VkFenceGetFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
            .fence = fence_,
            .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        int fd = -1;
        FB_VK(get_fd_(context_.device, &info, &fd));
        attach_payload(buffers, fd);
    }

private:
    const VulkanContext& context_;
    const PFN_vkGetFenceFdKHR get_fd_;
    const bool is_guarded_;
    std::unique_ptr<VgemBuffer> vgem_;
    VkFence fence_ = VK_NULL_HANDLE;
};

class SemaphoreFloor final : public ReleaseFloor {
public:
    explicit SemaphoreFloor(const VulkanContext& context)
        : context_(context),
          get_fd_(context.function<PFN_vkGetSemaphoreFdKHR>("vkGetSemaphoreFdKHR")) {
        const VkExportSemaphoreCreateInfo exported{
            .sType = VK_STRUCTURE_TYPE_EXPORT_SEMAPHORE_CREATE_INFO,
            .handleTypes = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        const VkSemaphoreCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
            .pNext = &exported,
        };
        FB_VK(vkCreateSemaphore(context.device, &info, nullptr, &semaphore_));
    }
    ~SemaphoreFloor() override { vkDestroySemaphore(context_.device, semaphore_, nullptr); }

    void submit(const CommandBuffer& commands, Buffers buffers) override {
        FB_VK(test::submit(context_.queue, commands, VK_NULL_HANDLE, {.signal = semaphore_}));
        const VkSemaphoreGetFdInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_GET_FD_INFO_KHR,
            .semaphore = semaphore_,
            .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        };
        int fd = -1;
        FB_VK(get_fd_(context_.device, &info, &fd));
        attach_payload(buffers, fd);
    }

private:
    const VulkanContext& context_;
    const PFN_vkGetSemaphoreFdKHR get_fd_;
    VkSemaphore semaphore_ = VK_NULL_HANDLE;
};

/// A thread waits for the work and signals vgem's fence.
class ProxyFloor final : public ReleaseFloor {
public:
    ProxyFloor(const VulkanContext& context, bool is_guarded)
        : context_(context), is_guarded_(is_guarded) {
        const VkSemaphoreTypeCreateInfo timeline{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
            .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
        };
        const VkSemaphoreCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
            .pNext = &timeline,
        };
        FB_VK(vkCreateSemaphore(context.device, &info, nullptr, &timeline_));
        thread_ = std::thread([this] { signal_fences(); });
    }
    ~ProxyFloor() override {
        {
            const std::lock_guard guard(mutex_);
            is_over_ = true;
            wake_.notify_one();
        }
        thread_.join();
        vkDestroySemaphore(context_.device, timeline_, nullptr);
    }

    void submit(const CommandBuffer& commands, Buffers buffers) override {
        ++value_;
        // A guard is the same fence, from before the submit.
        std::optional<VgemFence> fence;
        const auto attach_fence = [&] {
            // A buffer of vgem's has one fence at a time: the last but one's is over.
            fence.emplace(vgem_.at(value_ % vgem_.size()).attach(Usage::Write));
            attach(buffers, fence->sync_file());
        };
        if (is_guarded_) {
            attach_fence();
        }
        FB_VK(test::submit(context_.queue, commands, VK_NULL_HANDLE,
                           {.signal = timeline_, .signal_value = value_, .timelines = true}));
        if (!is_guarded_) {
            attach_fence();
        }
        {
            const std::lock_guard guard(mutex_);
            job_.emplace(Job{value_, std::move(*fence)});
        }
        wake_.notify_one();
    }

private:
    struct Job {
        uint64_t value;
        VgemFence fence;
    };

    void signal_fences() {
        for (;;) {
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [this] { return is_over_ || job_; });
            if (!job_) {
                return;
            }
            const Job job = std::move(*job_);
            job_.reset();
            lock.unlock();
            const VkSemaphoreWaitInfo info{
                .sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                .semaphoreCount = 1,
                .pSemaphores = &timeline_,
                .pValues = &job.value,
            };
            FB_VK(vkWaitSemaphores(context_.device, &info, UINT64_MAX));
            // The fence signals as it goes.
        }
    }

    const VulkanContext& context_;
    const bool is_guarded_;
    VkSemaphore timeline_ = VK_NULL_HANDLE;
    uint64_t value_ = 0;
    std::array<VgemBuffer, 4> vgem_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<Job> job_;
    bool is_over_ = false;
    std::thread thread_;
};

class WaitFloor final : public ReleaseFloor {
public:
    explicit WaitFloor(const VulkanContext& context) : context_(context), fence_(context) {}

    void submit(const CommandBuffer& commands, Buffers /*buffers*/) override {
        FB_VK(test::submit(context_.queue, commands, fence_.handle));
        FB_VK(fence_.wait());
        fence_.reset();
    }

private:
    const VulkanContext& context_;
    const Fence fence_;
};

} // namespace

std::string name(Source source) {
    switch (source) {
    case Source::Semaphore:
        return "semaphore";
    case Source::Fence:
        return "fence";
    case Source::Proxy:
        return "proxy";
    case Source::Wait:
        break;
    }
    return "wait";
}

std::unique_ptr<ReleaseFloor> release_floor(Source source, bool is_guarded,
                                            const VulkanContext& context) {
    // lavapipe's SYNC_FDs have signalled already.
    const bool has_sync_fds = context.driver != VK_DRIVER_ID_MESA_LLVMPIPE;
    switch (source) {
    case Source::Semaphore:
        return has_sync_fds && exports_sync_fd(context, VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO)
                   ? std::make_unique<SemaphoreFloor>(context)
                   : nullptr;
    case Source::Fence:
        return has_sync_fds && exports_sync_fd(context, VK_STRUCTURE_TYPE_FENCE_CREATE_INFO)
                   ? std::make_unique<FenceFloor>(context, is_guarded)
                   : nullptr;
    case Source::Proxy:
        return missing_vgem().empty() ? std::make_unique<ProxyFloor>(context, is_guarded) : nullptr;
    case Source::Wait:
        break;
    }
    return std::make_unique<WaitFloor>(context);
}

AcquireFloor::AcquireFloor(const VulkanContext& context) : context_(context) {
    const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    FB_VK(vkCreateSemaphore(context.device, &info, nullptr, &semaphore_));
}

AcquireFloor::~AcquireFloor() {
    vkDestroySemaphore(context_.device, semaphore_, nullptr);
}

void AcquireFloor::submit(const CommandBuffer& commands, Buffers buffers) {
    Fd all;
    for (const auto& buffer : buffers) {
        if (is_ready(buffer->dma_buf, POLLOUT)) {
            continue;
        }
        Exported one = export_sync_file(buffer->dma_buf, DMA_BUF_SYNC_RW);
        must(one.error == 0, "EXPORT_SYNC_FILE");
        if (!all) {
            all = std::move(one.sync_file);
            continue;
        }
        sync_merge_data merge{};
        merge.fd2 = one.sync_file.get();
        must(::ioctl(all.get(), SYNC_IOC_MERGE, &merge) == 0, "SYNC_IOC_MERGE");
        all = Fd(merge.fence);
    }
    if (!all) {
        FB_VK(test::submit(context_.queue, commands));
        return;
    }
    const VkImportSemaphoreFdInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
        .semaphore = semaphore_,
        .flags = VK_SEMAPHORE_IMPORT_TEMPORARY_BIT,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
        .fd = all.release(),
    };
    static const auto import_fd =
        context_.function<PFN_vkImportSemaphoreFdKHR>("vkImportSemaphoreFdKHR");
    FB_VK(import_fd(context_.device, &info));
    FB_VK(test::submit(context_.queue, commands, VK_NULL_HANDLE, {.wait = semaphore_}));
}

PeerFence::PeerFence(Buffers buffers, std::chrono::milliseconds time) : fence_(pending_fence()) {
    attach(buffers, fence_.sync_file());
    thread_ = std::thread([this, time] {
        std::this_thread::sleep_for(time);
        fence_.signal();
    });
}

} // namespace fencebridge::test
