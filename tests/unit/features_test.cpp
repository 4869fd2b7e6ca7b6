// The feature timelineSemaphore, added to copies of what applications pass.
#include "dispatch/chain.hpp"
#include "dispatch/features.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace fencebridge::test {

namespace {

VkDeviceCreateInfo device_with(const void* chain) {
    return {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, .pNext = chain};
}

/// What the driver would be told.
VkBool32 asked_for(const void* chain) {
    if (const auto* of_1_2 = find_in_chain<VkPhysicalDeviceVulkan12Features>(
            chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES)) {
        return of_1_2->timelineSemaphore;
    }
    const auto* own = find_in_chain<VkPhysicalDeviceTimelineSemaphoreFeatures>(
        chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
    return own != nullptr ? own->timelineSemaphore : VK_FALSE;
}

} // namespace

TEST(TimelineFeature, IsAddedInFrontOfAChainThatDoesNotNameIt) {
    VkPhysicalDeviceFeatures2 features{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2};
    const VkDeviceCreateInfo info = device_with(&features);
    const TimelineFeature timelines(info, true);
    EXPECT_TRUE(timelines.enabled());
    EXPECT_TRUE(timelines.added());
    EXPECT_EQ(asked_for(timelines.chain()), VK_TRUE);
    EXPECT_EQ(static_cast<const VkBaseInStructure*>(timelines.chain())->pNext,
              reinterpret_cast<const VkBaseInStructure*>(&features));
}

TEST(TimelineFeature, ApplicationsOwnYesIsLeftAsItIs) {
    const VkPhysicalDeviceTimelineSemaphoreFeatures yes{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
        .timelineSemaphore = VK_TRUE,
    };
    const VkDeviceCreateInfo info = device_with(&yes);
    const TimelineFeature timelines(info, true);
    EXPECT_TRUE(timelines.enabled());
    EXPECT_FALSE(timelines.added());
    EXPECT_EQ(timelines.chain(), &yes);
}

TEST(TimelineFeature, NoBecomesYesOnACopy) {
    VkPhysicalDeviceVulkan13Features behind{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES};
    VkPhysicalDeviceVulkan12Features no{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
        .pNext = &behind,
        .hostQueryReset = VK_TRUE,
    };
    VkPhysicalDeviceFeatures2 front{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                    .pNext = &no};
    const VkPhysicalDeviceVulkan12Features before = no;
    const VkDeviceCreateInfo info = device_with(&front);
    const TimelineFeature timelines(info, true);
    EXPECT_TRUE(timelines.enabled());
    EXPECT_EQ(asked_for(timelines.chain()), VK_TRUE);
    EXPECT_EQ(std::memcmp(&no, &before, sizeof(no)), 0) << "the application's was written to";
    const auto* copy = find_in_chain<VkPhysicalDeviceVulkan12Features>(
        timelines.chain(), VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES);
    ASSERT_NE(copy, nullptr);
    EXPECT_EQ(copy->hostQueryReset, VK_TRUE);
    EXPECT_EQ(copy->pNext, &behind);
    EXPECT_EQ(front.pNext, &no);
}

TEST(TimelineFeature, UnknownStructureInFrontKeepsTheApplicationsWord) {
    VkPhysicalDeviceVulkan12Features no{.sType =
                                            VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    const VkBaseInStructure unknown{.sType = static_cast<VkStructureType>(0x3fffffff),
                                    .pNext = reinterpret_cast<const VkBaseInStructure*>(&no)};
    const VkDeviceCreateInfo info = device_with(&unknown);
    const TimelineFeature timelines(info, true);
    EXPECT_FALSE(timelines.enabled());
    EXPECT_EQ(timelines.chain(), &unknown);
}

TEST(TimelineFeature, DeviceThatLacksItIsNotAsked) {
    const VkDeviceCreateInfo info = device_with(nullptr);
    const TimelineFeature timelines(info, false);
    EXPECT_FALSE(timelines.enabled());
    EXPECT_EQ(timelines.chain(), nullptr);
}

} // namespace fencebridge::test
