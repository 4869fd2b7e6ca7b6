// The layer on a real driver: it is loaded, says what it would do, and lets pass what is not its
// own.
#include "hardware/hardware_test.hpp"
#include "support/vgem.hpp"
#include "support/vulkan_commands.hpp"
#include "support/vulkan_memory.hpp"

#include <vulkan/vulkan.h>

#include <cstdio>

namespace fencebridge::test {
namespace {

/// For the record of a run: which driver it was.
void print_driver(const VulkanContext& context) {
    VkPhysicalDeviceDriverProperties driver{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
    };
    VkPhysicalDeviceProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &driver,
    };
    vkGetPhysicalDeviceProperties2(context.physical_device, &properties);
    std::printf("device: %s\ndriver: %s %s\n", context.device_name.c_str(),
                std::data(driver.driverName), std::data(driver.driverInfo));
}

/// Whether the driver has any SYNC_FD to export, by its own word and not by the layer's.
bool exports_sync_fd(const VulkanContext& context) {
    const VkPhysicalDeviceExternalSemaphoreInfo semaphore{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
        .handleType = VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkExternalSemaphoreProperties of_semaphores{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES,
    };
    vkGetPhysicalDeviceExternalSemaphoreProperties(context.physical_device, &semaphore,
                                                   &of_semaphores);
    const VkPhysicalDeviceExternalFenceInfo fence{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_FENCE_INFO,
        .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT,
    };
    VkExternalFenceProperties of_fences{
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_FENCE_PROPERTIES,
    };
    vkGetPhysicalDeviceExternalFenceProperties(context.physical_device, &fence, &of_fences);
    return (of_semaphores.externalSemaphoreFeatures &
            VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT) != 0 ||
           (of_fences.externalFenceFeatures & VK_EXTERNAL_FENCE_FEATURE_EXPORTABLE_BIT) != 0;
}

class LayerOnGpu : public testing::TestWithParam<Layers> {
protected:
    void SetUp() override {
        if (const std::string missing = missing_gpu(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
};

/// That its library is in the process VulkanContext has checked itself.
using LoadedOnGpu = LayerOnGpu;
TEST_F(LoadedOnGpu, SaysWhatItWouldDoWithThisDriver) {
    std::string device;
    std::string expected_source = "fence source ";
    const std::string log = log_of([&] {
        const VulkanContext context({.layers = Layers::Bridge});
        device = context.device_name;
        print_driver(context);
        if (!exports_sync_fd(context) && !missing_vgem().empty()) {
            expected_source = "fence source wait (the driver exports no SYNC_FD)";
        }
    });
    std::printf("%s", log.c_str());
    EXPECT_NE(log.find("fencebridge: info: " + device + " ["), std::string::npos) << log;
    EXPECT_NE(log.find(expected_source), std::string::npos) << log;
    EXPECT_NE(log.find(": releases 0 "), std::string::npos) << log;
}

/// Off: the twin that the layer has to be equal to.
using PassesThrough = LayerOnGpu;
TEST_P(PassesThrough, WorkOnMemoryThatNobodySharesIsNotWaitedFor) {
    VulkanContext context({.layers = GetParam()});
    const LongWork work(context);
    const Buffer result(context, 4096,
                        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    const volatile uint32_t* const seen = result.mapped;
    *result.mapped = old_value;
    const Fence fence(context);
    CommandBuffer commands(context);
    commands.begin();
    work.record(commands, long_work);
    vkCmdFillBuffer(commands.handle, result.buffer, 0, VK_WHOLE_SIZE, new_value);
    const VkMemoryBarrier for_the_cpu{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_HOST_READ_BIT,
    };
    vkCmdPipelineBarrier(commands.handle, VK_PIPELINE_STAGE_TRANSFER_BIT,
                         VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &for_the_cpu, 0, nullptr, 0, nullptr);
    commands.end();
    FB_VK(submit(context.queue, commands, fence.handle));
    EXPECT_EQ(*seen, old_value);
    EXPECT_EQ(fence.status(), VK_NOT_READY) << "the submit should not have waited";
    EXPECT_EQ(fence.wait(), VK_SUCCESS);
    EXPECT_EQ(*seen, new_value);
}
INSTANTIATE_TEST_SUITE_P(Layer, PassesThrough, testing::Values(Layers::None, Layers::Bridge),
                         [](const auto& layers) { return name(layers.param); });

} // namespace
} // namespace fencebridge::test
