// What VK_KHR_swapchain and the extensions on it ask of a swapchain, of ours and of the driver's
// own alike: where both cannot the same, the test says so.
#include "driver/headless_present.hpp"

#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {
namespace {

constexpr Extent size{96, 64};

using Mode = PresentMode;
constexpr Mode owned{Layers::Bridge, "owned"};
constexpr Mode owned_validated{Layers::ValidationBelow, "owned"};
constexpr Mode off{Layers::None, "off"};

/// A device and a surface that nobody looks at.
class OnHeadless : public testing::TestWithParam<Mode> {
protected:
    void open(ContextOptions options = {}) {
        const std::vector<const char*> more = options.device_extensions;
        if (const std::string missing = VulkanContext({}).lacks(more); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
        const bool device_group = options.device_group;
        options = options_of(GetParam());
        options.device_group = device_group;
        for (const char* const extension : {VK_KHR_GET_SURFACE_CAPABILITIES_2_EXTENSION_NAME,
                                            VK_EXT_SURFACE_MAINTENANCE_1_EXTENSION_NAME}) {
            options.instance_extensions.push_back(extension);
        }
        options.device_extensions.insert(options.device_extensions.end(), more.begin(), more.end());
        context_ = std::make_unique<VulkanContext>(options);
        surface_ = std::make_unique<HeadlessSurface>(*context_);
    }
    void TearDown() override {
        if (context_) {
            expect_no_messages(*context_);
        }
    }

    std::unique_ptr<TestSwapchain> make(SwapchainOptions options = {}) {
        options.extent = size;
        return std::make_unique<TestSwapchain>(*context_, surface_->handle, options);
    }
    void present_frames(const TestSwapchain& swapchain, int frames, const void* chain = nullptr) {
        CommandBuffer commands(*context_);
        for (int frame = 0; frame < frames; ++frame) {
            const uint32_t index = swapchain.acquire();
            record_picture(commands, swapchain.images.at(index), new_value);
            swapchain.present(commands, index, VK_NULL_HANDLE, chain);
            FB_VK(vkQueueWaitIdle(context_->queue));
        }
    }
    bool is_ours() const { return has_bridge(GetParam().layers); }

    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<HeadlessSurface> surface_;
};

using AnyAcquire = OnHeadless;
TEST_P(AnyAcquire, SignalsSemaphoreAndFence) {
    open();
    const auto swapchain = make();
    const Semaphore semaphore(*context_);
    const Fence fence(*context_);
    CommandBuffer commands(*context_);
    for (int frame = 0; frame < 6; ++frame) {
        uint32_t index = 0;
        FB_VK(vkAcquireNextImageKHR(context_->device, swapchain->handle, UINT64_MAX,
                                    semaphore.handle, fence.handle, &index));
        record_picture(commands, swapchain->images.at(index), new_value);
        FB_VK(submit(context_->queue, commands, VK_NULL_HANDLE,
                     {.wait = semaphore.handle, .signal = swapchain->drawn(index)}));
        swapchain->present_drawn(index);
        EXPECT_EQ(fence.wait(), VK_SUCCESS);
        fence.reset();
        FB_VK(vkQueueWaitIdle(context_->queue));
    }
}
TEST_P(AnyAcquire, NeedsNoSemaphoreForItsPresent) {
    if (GetParam().layers == Layers::ValidationBelow) {
        GTEST_SKIP() << "validation knows no order of a queue";
    }
    open();
    const auto swapchain = make();
    CommandBuffer commands(*context_);
    for (int frame = 0; frame < 6; ++frame) {
        const uint32_t index = swapchain->acquire();
        record_picture(commands, swapchain->images.at(index), new_value);
        FB_VK(swapchain->try_present(commands, index, VK_NULL_HANDLE, nullptr, false));
        FB_VK(vkQueueWaitIdle(context_->queue));
    }
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyAcquire, testing::Values(owned, owned_validated, off), by_mode);

/// The entry points and structures that device groups brought, for a group of one.
using AnyDeviceGroup = OnHeadless;
TEST_P(AnyDeviceGroup, PresentsLocally) {
    open({.device_group = true});
    const auto device = context_->device;
    VkDeviceGroupPresentCapabilitiesKHR capabilities{
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_CAPABILITIES_KHR};
    FB_VK(vkGetDeviceGroupPresentCapabilitiesKHR(device, &capabilities));
    EXPECT_EQ(capabilities.presentMask[0], 1U);
    VkDeviceGroupPresentModeFlagsKHR modes = 0;
    FB_VK(vkGetDeviceGroupSurfacePresentModesKHR(device, surface_->handle, &modes));
    EXPECT_NE(modes & VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR, 0U);
    uint32_t rectangles = 0;
    FB_VK(vkGetPhysicalDevicePresentRectanglesKHR(context_->physical_device, surface_->handle,
                                                  &rectangles, nullptr));
    EXPECT_GE(rectangles, 1U);

    const VkDeviceGroupSwapchainCreateInfoKHR locally{
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_SWAPCHAIN_CREATE_INFO_KHR,
        .modes = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR,
    };
    const auto swapchain = make({.chain = &locally});
    const Fence fence(*context_);
    CommandBuffer commands(*context_);
    const uint32_t mask = 1;
    const VkDeviceGroupPresentInfoKHR by_device{
        .sType = VK_STRUCTURE_TYPE_DEVICE_GROUP_PRESENT_INFO_KHR,
        .swapchainCount = 1,
        .pDeviceMasks = &mask,
        .mode = VK_DEVICE_GROUP_PRESENT_MODE_LOCAL_BIT_KHR,
    };
    for (int frame = 0; frame < 6; ++frame) {
        const VkAcquireNextImageInfoKHR next{
            .sType = VK_STRUCTURE_TYPE_ACQUIRE_NEXT_IMAGE_INFO_KHR,
            .swapchain = swapchain->handle,
            .timeout = UINT64_MAX,
            .fence = fence.handle,
            .deviceMask = 1,
        };
        uint32_t index = 0;
        FB_VK(vkAcquireNextImage2KHR(device, &next, &index));
        FB_VK(fence.wait());
        fence.reset();
        record_picture(commands, swapchain->images.at(index), new_value);
        swapchain->present(commands, index, VK_NULL_HANDLE, &by_device);
        FB_VK(vkQueueWaitIdle(context_->queue));
    }
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyDeviceGroup, testing::Values(owned, owned_validated, off),
                         by_mode);

using AnyMutableFormat = OnHeadless;
TEST_P(AnyMutableFormat, HasViewsOfItsFormats) {
    open({.device_extensions = {VK_KHR_SWAPCHAIN_MUTABLE_FORMAT_EXTENSION_NAME}});
    if (IsSkipped()) {
        return;
    }
    const std::array formats{VK_FORMAT_B8G8R8A8_UNORM, VK_FORMAT_B8G8R8A8_SRGB};
    const VkImageFormatListCreateInfo list{
        .sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_LIST_CREATE_INFO,
        .viewFormatCount = formats.size(),
        .pViewFormats = formats.data(),
    };
    const auto swapchain =
        make({.usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT | VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT,
              .flags = VK_SWAPCHAIN_CREATE_MUTABLE_FORMAT_BIT_KHR,
              .chain = &list});
    for (const VkFormat format : formats) {
        const VkImageViewCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_IMAGE_VIEW_CREATE_INFO,
            .image = swapchain->images.front(),
            .viewType = VK_IMAGE_VIEW_TYPE_2D,
            .format = format,
            .subresourceRange = whole_image,
        };
        VkImageView view = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateImageView(context_->device, &info, nullptr, &view), VK_SUCCESS);
        vkDestroyImageView(context_->device, view, nullptr);
    }
    present_frames(*swapchain, 4);
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyMutableFormat, testing::Values(owned, owned_validated, off),
                         by_mode);

/// An old swapchain gives no image any more; what was acquired before can be presented, or is said
/// to be out of date.
using AnyOldSwapchain = OnHeadless;
TEST_P(AnyOldSwapchain, IsRetired) {
    open();
    const auto old = make();
    present_frames(*old, 3);
    const uint32_t acquired = old->acquire();
    const auto next = make({.old = old->handle});
    if (is_ours()) {
        // (Mesa's own headless swapchain goes on giving images.)
        uint32_t index = 0;
        const Fence fence(*context_);
        EXPECT_EQ(vkAcquireNextImageKHR(context_->device, old->handle, 0, VK_NULL_HANDLE,
                                        fence.handle, &index),
                  VK_ERROR_OUT_OF_DATE_KHR);
    }
    CommandBuffer commands(*context_);
    record_picture(commands, old->images.at(acquired), new_value);
    const VkResult presented = old->try_present(commands, acquired);
    EXPECT_TRUE(presented >= 0 || presented == VK_ERROR_OUT_OF_DATE_KHR) << presented;
    FB_VK(vkQueueWaitIdle(context_->queue));
    present_frames(*next, 3);
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyOldSwapchain, testing::Values(owned, owned_validated, off),
                         by_mode);

/// VK_EXT_swapchain_maintenance1. (Its feature is not enabled: validation has no part in it.)
class AnyMaintained : public OnHeadless {
protected:
    void open_maintained() {
        open({.device_extensions = {VK_EXT_SWAPCHAIN_MAINTENANCE_1_EXTENSION_NAME}});
    }
};
TEST_P(AnyMaintained, ChangesItsModeFromPresentToPresent) {
    open_maintained();
    if (IsSkipped()) {
        return;
    }
    std::vector<VkPresentModeKHR> modes(8);
    auto count = static_cast<uint32_t>(modes.size());
    FB_VK(vkGetPhysicalDeviceSurfacePresentModesKHR(context_->physical_device, surface_->handle,
                                                    &count, modes.data()));
    modes.resize(count);
    std::erase_if(modes, [](VkPresentModeKHR mode) {
        return mode != VK_PRESENT_MODE_FIFO_KHR && mode != VK_PRESENT_MODE_MAILBOX_KHR;
    });
    const VkSwapchainPresentModesCreateInfoEXT any_of{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODES_CREATE_INFO_EXT,
        .presentModeCount = static_cast<uint32_t>(modes.size()),
        .pPresentModes = modes.data(),
    };
    const auto swapchain = make({.chain = &any_of});
    for (const VkPresentModeKHR mode : modes) {
        const VkSwapchainPresentModeInfoEXT now{
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT,
            .swapchainCount = 1,
            .pPresentModes = &mode,
        };
        present_frames(*swapchain, 4, &now);
    }
}
TEST_P(AnyMaintained, BindsItsMemoryLater) {
    open_maintained();
    if (IsSkipped()) {
        return;
    }
    const auto swapchain = make({.flags = VK_SWAPCHAIN_CREATE_DEFERRED_MEMORY_ALLOCATION_BIT_EXT});
    present_frames(*swapchain, 6);
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyMaintained, testing::Values(owned, off), by_mode);

#ifdef VK_KHR_present_wait2
/// (In Mesa 26 the driver's own headless swapchain has no wait of this kind: it would crash.)
using OurPresentWait2 = OnHeadless;
TEST_P(OurPresentWait2, WaitsForAPresentById) {
    open({.device_extensions = {VK_KHR_PRESENT_ID_2_EXTENSION_NAME,
                                VK_KHR_PRESENT_WAIT_2_EXTENSION_NAME}});
    if (IsSkipped()) {
        return;
    }
    const auto swapchain = make({.flags = VK_SWAPCHAIN_CREATE_PRESENT_ID_2_BIT_KHR |
                                          VK_SWAPCHAIN_CREATE_PRESENT_WAIT_2_BIT_KHR});
    const auto wait = context_->function<PFN_vkWaitForPresent2KHR>("vkWaitForPresent2KHR");
    for (uint64_t id = 1; id <= 3; ++id) {
        const VkPresentWait2InfoKHR shown{
            .sType = VK_STRUCTURE_TYPE_PRESENT_WAIT_2_INFO_KHR,
            .presentId = id,
            .timeout = 1'000'000,
        };
        EXPECT_EQ(wait(context_->device, swapchain->handle, &shown), VK_TIMEOUT);
        const VkPresentId2KHR with_id{
            .sType = VK_STRUCTURE_TYPE_PRESENT_ID_2_KHR,
            .swapchainCount = 1,
            .pPresentIds = &id,
        };
        present_frames(*swapchain, 1, &with_id);
        EXPECT_EQ(wait(context_->device, swapchain->handle, &shown), VK_SUCCESS);
    }
}
INSTANTIATE_TEST_SUITE_P(Mode, OurPresentWait2, testing::Values(owned), by_mode);
#endif

/// The application's allocation callbacks, of which the one that it has come to fails.
class Allocator {
public:
    explicit Allocator(unsigned that_succeed) : left_(that_succeed) {}
    Allocator(const Allocator&) = delete;
    Allocator& operator=(const Allocator&) = delete;

    const VkAllocationCallbacks* callbacks() const { return &callbacks_; }
    size_t alive() const { return sizes_.size(); }
    bool has_failed() const { return has_failed_; }

private:
    static void* allocate(void* data, size_t bytes, size_t alignment,
                          VkSystemAllocationScope /*scope*/) {
        auto& self = *static_cast<Allocator*>(data);
        if (self.left_ == 0) {
            self.has_failed_ = true;
            return nullptr;
        }
        --self.left_;
        void* const memory =
            std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
        self.sizes_[memory] = bytes;
        return memory;
    }
    static void release(void* data, void* memory) {
        static_cast<Allocator*>(data)->sizes_.erase(memory);
        std::free(memory);
    }
    static void* reallocate(void* data, void* original, size_t bytes, size_t alignment,
                            VkSystemAllocationScope scope) {
        auto& self = *static_cast<Allocator*>(data);
        if (bytes == 0) {
            release(data, original);
            return nullptr;
        }
        void* const memory = allocate(data, bytes, alignment, scope);
        if (memory != nullptr && original != nullptr) {
            std::memcpy(memory, original, std::min(bytes, self.sizes_.at(original)));
            release(data, original);
        }
        return memory;
    }

    unsigned left_;
    bool has_failed_ = false;
    std::map<void*, size_t> sizes_;
    const VkAllocationCallbacks callbacks_{
        .pUserData = this,
        .pfnAllocation = allocate,
        .pfnReallocation = reallocate,
        .pfnFree = release,
    };
};

/// As the conformance tests simulate it: each allocation of vkCreateSwapchainKHR in turn fails.
using AnyOutOfMemory = OnHeadless;
TEST_P(AnyOutOfMemory, IsSaidAndLeavesNothing) {
    open();
    const VkSwapchainCreateInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
        .surface = surface_->handle,
        .minImageCount = 4,
        .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
        .imageExtent = {size.width, size.height},
        .imageArrayLayers = 1,
        .imageUsage = VK_IMAGE_USAGE_TRANSFER_DST_BIT,
        .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
        .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
        .presentMode = VK_PRESENT_MODE_FIFO_KHR,
    };
    constexpr unsigned more_than_it_takes = 500;
    unsigned allocations = 0;
    for (; allocations < more_than_it_takes; ++allocations) {
        Allocator allocator(allocations);
        VkSwapchainKHR swapchain = VK_NULL_HANDLE;
        const VkResult result =
            vkCreateSwapchainKHR(context_->device, &info, allocator.callbacks(), &swapchain);
        if (result == VK_SUCCESS) {
            vkDestroySwapchainKHR(context_->device, swapchain, allocator.callbacks());
        } else {
            EXPECT_EQ(result, VK_ERROR_OUT_OF_HOST_MEMORY) << "allocation " << allocations;
        }
        ASSERT_EQ(allocator.alive(), 0U) << "after allocation " << allocations;
        if (!allocator.has_failed()) {
            EXPECT_EQ(result, VK_SUCCESS);
            break;
        }
    }
    EXPECT_GT(allocations, 0U) << "the callbacks were never called";
    EXPECT_LT(allocations, more_than_it_takes);
}
INSTANTIATE_TEST_SUITE_P(Mode, AnyOutOfMemory, testing::Values(owned, off), by_mode);

} // namespace
} // namespace fencebridge::test
