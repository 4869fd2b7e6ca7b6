// Applications of every Vulkan version; several instances and devices at once; and instances that
// come and go a thousand times: nothing of the layer stays behind.
#include "support/vulkan_commands.hpp"
#include "transparency/process_size.hpp"

#include <gtest/gtest.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <dlfcn.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace fencebridge::test {

namespace {

/// Whether a function of the device is our layer's.
bool is_ours(VkDevice device, const char* function) {
    Dl_info library{};
    const auto place = reinterpret_cast<const void*>(vkGetDeviceProcAddr(device, function));
    return ::dladdr(place, &library) != 0 &&
           std::string(library.dli_fname).find("VkLayer_FENCEBRIDGE") != std::string::npos;
}

struct Version {
    uint32_t number;
    const char* name;
};
constexpr std::array versions{
    Version{VK_API_VERSION_1_0, "Vulkan10"}, Version{VK_API_VERSION_1_1, "Vulkan11"},
    Version{VK_API_VERSION_1_2, "Vulkan12"}, Version{VK_API_VERSION_1_3, "Vulkan13"},
    Version{VK_API_VERSION_1_4, "Vulkan14"}};

/// What an application sees that knows nothing beyond its version: the results of its calls, and
/// the words that its work has written.
class OfVersion {
public:
    explicit OfVersion(uint32_t version) : version_(version) {
        make_instance();
        make_device();
    }
    ~OfVersion() {
        vkDestroyDevice(device_, nullptr);
        vkDestroyInstance(instance_, nullptr);
    }
    OfVersion(const OfVersion&) = delete;
    OfVersion& operator=(const OfVersion&) = delete;

    std::vector<int64_t> seen;
    bool is_bridged() const { return is_ours(device_, "vkQueueSubmit"); }

    void work() {
        VkQueue queue = VK_NULL_HANDLE;
        vkGetDeviceQueue(device_, 0, 0, &queue);
        const VkBufferCreateInfo buffer_info{.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                             .size = 4096,
                                             .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT};
        VkBuffer buffer = VK_NULL_HANDLE;
        note(vkCreateBuffer(device_, &buffer_info, nullptr, &buffer));
        VkMemoryRequirements needed{};
        vkGetBufferMemoryRequirements(device_, buffer, &needed);
        const VkMemoryAllocateInfo memory_info{.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                               .allocationSize = needed.size,
                                               .memoryTypeIndex = host_visible(needed)};
        VkDeviceMemory memory = VK_NULL_HANDLE;
        note(vkAllocateMemory(device_, &memory_info, nullptr, &memory));
        bind(buffer, memory);
        void* mapped = nullptr;
        note(vkMapMemory(device_, memory, 0, VK_WHOLE_SIZE, 0, &mapped));
        fill(queue, buffer);
        seen.push_back(*static_cast<const uint32_t*>(mapped));
        if (version_ >= VK_API_VERSION_1_2) {
            use_timeline();
        }
        vkFreeMemory(device_, memory, nullptr);
        vkDestroyBuffer(device_, buffer, nullptr);
    }

private:
    void note(VkResult result) { seen.push_back(result); }

    void make_instance() {
        const VkApplicationInfo application{.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                            .apiVersion = version_};
        static constexpr std::array extensions{
            VK_KHR_GET_PHYSICAL_DEVICE_PROPERTIES_2_EXTENSION_NAME,
            VK_KHR_EXTERNAL_MEMORY_CAPABILITIES_EXTENSION_NAME};
        const VkInstanceCreateInfo info{.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                        .pApplicationInfo = &application,
                                        .enabledExtensionCount =
                                            version_ == VK_API_VERSION_1_0 ? 2U : 0U,
                                        .ppEnabledExtensionNames = extensions.data()};
        FB_VK(vkCreateInstance(&info, nullptr, &instance_));
        uint32_t count = 1;
        const VkResult found = vkEnumeratePhysicalDevices(instance_, &count, &physical_device_);
        FB_VK(found == VK_INCOMPLETE ? VK_SUCCESS : found);
    }

    void make_device() {
        const float priority = 1;
        const VkDeviceQueueCreateInfo queue{.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                            .queueCount = 1,
                                            .pQueuePriorities = &priority};
        VkPhysicalDeviceTimelineSemaphoreFeatures timelines{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
            .timelineSemaphore = VK_TRUE};
        VkPhysicalDeviceSynchronization2Features barriers{
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
            .pNext = &timelines,
            .synchronization2 = VK_TRUE};
        // Core from 1.1 on; of the other there is no core.
        static constexpr std::array extensions{VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME,
                                               VK_KHR_EXTERNAL_MEMORY_EXTENSION_NAME};
        const void* const chain = version_ >= VK_API_VERSION_1_3
                                      ? static_cast<const void*>(&barriers)
                                  : version_ >= VK_API_VERSION_1_2 ? &timelines
                                                                   : nullptr;
        const VkDeviceCreateInfo info{.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                      .pNext = chain,
                                      .queueCreateInfoCount = 1,
                                      .pQueueCreateInfos = &queue,
                                      .enabledExtensionCount =
                                          version_ == VK_API_VERSION_1_0 ? 2U : 1U,
                                      .ppEnabledExtensionNames = extensions.data()};
        FB_VK(vkCreateDevice(physical_device_, &info, nullptr, &device_));
    }

    uint32_t host_visible(const VkMemoryRequirements& needed) const {
        constexpr VkMemoryPropertyFlags wanted =
            VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
        VkPhysicalDeviceMemoryProperties properties{};
        vkGetPhysicalDeviceMemoryProperties(physical_device_, &properties);
        uint32_t type = 0;
        while ((needed.memoryTypeBits >> type & 1U) == 0 ||
               (properties.memoryTypes[type].propertyFlags & wanted) != wanted) {
            ++type;
        }
        return type;
    }

    void bind(VkBuffer buffer, VkDeviceMemory memory) {
        if (version_ < VK_API_VERSION_1_1) {
            note(vkBindBufferMemory(device_, buffer, memory, 0));
            return;
        }
        const VkBindBufferMemoryInfo info{
            .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, .buffer = buffer, .memory = memory};
        note(vkBindBufferMemory2(device_, 1, &info));
    }

    void fill(VkQueue queue, VkBuffer buffer) {
        const VkCommandPoolCreateInfo pool_info{.sType =
                                                    VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
        VkCommandPool pool = VK_NULL_HANDLE;
        note(vkCreateCommandPool(device_, &pool_info, nullptr, &pool));
        const VkCommandBufferAllocateInfo commands_info{
            .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
            .commandPool = pool,
            .commandBufferCount = 1};
        VkCommandBuffer commands = VK_NULL_HANDLE;
        note(vkAllocateCommandBuffers(device_, &commands_info, &commands));
        const VkCommandBufferBeginInfo begin{.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
        note(vkBeginCommandBuffer(commands, &begin));
        vkCmdFillBuffer(commands, buffer, 0, VK_WHOLE_SIZE, 4711);
        submit(queue, commands);
        vkDestroyCommandPool(device_, pool, nullptr);
    }

    void submit(VkQueue queue, VkCommandBuffer commands) {
        if (version_ >= VK_API_VERSION_1_3) {
            const VkMemoryBarrier2 written{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2,
                                           .srcStageMask = VK_PIPELINE_STAGE_2_ALL_COMMANDS_BIT,
                                           .srcAccessMask = VK_ACCESS_2_MEMORY_WRITE_BIT,
                                           .dstStageMask = VK_PIPELINE_STAGE_2_HOST_BIT,
                                           .dstAccessMask = VK_ACCESS_2_HOST_READ_BIT};
            const VkDependencyInfo dependency{.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO,
                                              .memoryBarrierCount = 1,
                                              .pMemoryBarriers = &written};
            vkCmdPipelineBarrier2(commands, &dependency);
            note(vkEndCommandBuffer(commands));
            const VkCommandBufferSubmitInfo one{
                .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_SUBMIT_INFO, .commandBuffer = commands};
            const VkSubmitInfo2 info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                     .commandBufferInfoCount = 1,
                                     .pCommandBufferInfos = &one};
            note(vkQueueSubmit2(queue, 1, &info, VK_NULL_HANDLE));
        } else {
            const VkMemoryBarrier written{.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                          .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                          .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
            vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_TRANSFER_BIT,
                                 VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &written, 0, nullptr, 0,
                                 nullptr);
            note(vkEndCommandBuffer(commands));
            const VkSubmitInfo info{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                    .commandBufferCount = 1,
                                    .pCommandBuffers = &commands};
            note(vkQueueSubmit(queue, 1, &info, VK_NULL_HANDLE));
        }
        note(vkQueueWaitIdle(queue));
    }

    void use_timeline() {
        const VkSemaphoreTypeCreateInfo type{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
                                             .semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE};
        const VkSemaphoreCreateInfo info{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
                                         .pNext = &type};
        VkSemaphore timeline = VK_NULL_HANDLE;
        note(vkCreateSemaphore(device_, &info, nullptr, &timeline));
        const VkSemaphoreSignalInfo signal{
            .sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO, .semaphore = timeline, .value = 3};
        note(vkSignalSemaphore(device_, &signal));
        uint64_t value = 0;
        note(vkGetSemaphoreCounterValue(device_, timeline, &value));
        seen.push_back(static_cast<int64_t>(value));
        vkDestroySemaphore(device_, timeline, nullptr);
    }

    uint32_t version_;
    VkInstance instance_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
};

/// The loader reads it in vkCreateInstance.
void switch_layer(bool on) {
    if (on) {
        ::setenv("ENABLE_FENCEBRIDGE", "1", 1);
    } else {
        ::unsetenv("ENABLE_FENCEBRIDGE");
    }
}

} // namespace

class Versions : public testing::TestWithParam<Version> {};

TEST_P(Versions, SeeTheSameWithTheLayer) {
    switch_layer(false);
    OfVersion without(GetParam().number);
    without.work();
    switch_layer(true);
    OfVersion with(GetParam().number);
    with.work();
    switch_layer(false);
    EXPECT_FALSE(without.is_bridged());
    EXPECT_TRUE(with.is_bridged());
    EXPECT_EQ(with.seen, without.seen);
    EXPECT_NE(std::ranges::find(with.seen, 4711), with.seen.end()) << "no work was done";
}

INSTANTIATE_TEST_SUITE_P(Of, Versions, testing::ValuesIn(versions),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(SeveralAtOnce, EachHasItsOwnSettings) {
    std::deque<VulkanContext> contexts;
    contexts.emplace_back(ContextOptions{.layers = Layers::Bridge});
    contexts.emplace_back(
        ContextOptions{.layers = Layers::Bridge, .settings = {{"POLICY", "off"}}});
    contexts.emplace_back(ContextOptions{.layers = Layers::None});
    contexts.emplace_back(
        ContextOptions{.layers = Layers::Bridge, .settings = {{"FENCE_SOURCE", "wait"}}});
    contexts.emplace_back(ContextOptions{.layers = Layers::Bridge, .shares_memory = false});
    const std::vector<bool> bridged{true, false, false, true, false};
    // From the last to the first, then with one gone in the midst.
    for (size_t i = contexts.size(); i-- > 0;) {
        EXPECT_EQ(is_ours(contexts.at(i).device, "vkQueueSubmit"), bridged.at(i)) << i;
    }
    const auto work = [](const VulkanContext& context) {
        const Buffer target(context, 4096, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT);
        CommandBuffer commands(context);
        commands.begin();
        vkCmdFillBuffer(commands.handle, target.buffer, 0, VK_WHOLE_SIZE, 4711);
        commands.full_barrier();
        commands.end();
        const Fence fence(context);
        EXPECT_EQ(submit(context.queue, commands, fence.handle), VK_SUCCESS);
        EXPECT_EQ(fence.wait(), VK_SUCCESS);
        EXPECT_EQ(*target.mapped, 4711U);
    };
    for (const VulkanContext& context : contexts) {
        work(context);
    }
    contexts.pop_front();
    for (const VulkanContext& context : contexts) {
        work(context);
    }
}

namespace {

/// How often instances come and go: few where the CPU is emulated.
int rounds() {
    const char* const wanted = std::getenv("FENCEBRIDGE_ROUNDS"); // NOLINT(concurrency-mt-unsafe)
    return wanted != nullptr ? std::atoi(wanted) : 1000;
}

template<typename Round>
ProcessSize growth(Round&& round) {
    // What is kept from the first time on is no growth.
    for (int i = 0; i < rounds() / 5; ++i) {
        round();
    }
    const ProcessSize before = ProcessSize::now();
    for (int i = 0; i < rounds(); ++i) {
        round();
    }
    return ProcessSize::now() - before;
}

void come_and_go(bool bridged) {
    switch_layer(bridged);
    ::setenv("VK_FENCEBRIDGE_LOG_LEVEL", "error", 1);
    OfVersion application(VK_API_VERSION_1_3);
    application.work();
    EXPECT_EQ(application.is_bridged(), bridged);
    switch_layer(false);
}

} // namespace

TEST(ComingAndGoing, LeavesNothingBehind) {
    const ProcessSize without = growth([] { come_and_go(false); });
    const ProcessSize with = growth([] { come_and_go(true); });
    EXPECT_LE(with.descriptors, without.descriptors);
    EXPECT_LE(with.threads, without.threads);
    EXPECT_LE(with.mappings, without.mappings + 4);
    // The heap breathes by some thousand bytes. The smallest piece that a round of a thousand could
    // leave behind has 32.
    EXPECT_LE(with.heap, without.heap + std::max(16384L, rounds() * 24L));
    std::printf("without: %s\nwith: %s\n", without.text().c_str(), with.text().c_str());
}

/// The twin: what stays behind is seen.
TEST(ComingAndGoing, WhatStaysBehindIsSeen) {
    std::vector<int> descriptors;
    std::vector<std::string> heap;
    const ProcessSize leaking = growth([&] {
        descriptors.push_back(::dup(STDERR_FILENO));
        heap.emplace_back(64, 'x');
    });
    EXPECT_GE(leaking.descriptors, rounds());
    EXPECT_GT(leaking.heap, rounds() * 24L);
    for (const int fd : descriptors) {
        ::close(fd);
    }
}

} // namespace fencebridge::test
