// One swapchain's part of a present for several.
#include "dispatch/chain.hpp"
#include "present/single_present.hpp"
#include "vulkan_handles.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fencebridge::test {
namespace {

/// A present of three swapchains, with something for each of them in its chain.
class SinglePresentTest : public testing::Test {
protected:
    SinglePresentTest() { info.pNext = &ids; }

    const std::array<VkSwapchainKHR, 3> swapchains{handle_of_number<VkSwapchainKHR>(1),
                                                   handle_of_number<VkSwapchainKHR>(2),
                                                   handle_of_number<VkSwapchainKHR>(3)};
    const std::array<uint32_t, 3> images{7, 8, 9};
    const std::array<uint64_t, 3> numbers{70, 80, 90};
    const std::array<VkPresentModeKHR, 3> present_modes{
        VK_PRESENT_MODE_FIFO_KHR, VK_PRESENT_MODE_MAILBOX_KHR, VK_PRESENT_MODE_IMMEDIATE_KHR};
    std::array<VkResult, 3> results{};
    const VkSemaphore relay = handle_of_number<VkSemaphore>(4);

    VkPresentRegionsKHR regions{
        .sType = VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR,
        .swapchainCount = 3,
        .pRegions = nullptr,
    };
    VkSwapchainPresentModeInfoEXT modes{
        .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT,
        .pNext = &regions,
        .swapchainCount = 3,
        .pPresentModes = present_modes.data(),
    };
    VkPresentIdKHR ids{
        .sType = VK_STRUCTURE_TYPE_PRESENT_ID_KHR,
        .pNext = &modes,
        .swapchainCount = 3,
        .pPresentIds = numbers.data(),
    };
    VkPresentInfoKHR info{
        .sType = VK_STRUCTURE_TYPE_PRESENT_INFO_KHR,
        .swapchainCount = 3,
        .pSwapchains = swapchains.data(),
        .pImageIndices = images.data(),
        .pResults = results.data(),
    };
};

TEST_F(SinglePresentTest, NamesItsSwapchainAlone) {
    const SinglePresent single(info, 1, relay);
    const VkPresentInfoKHR& cut = single.info();
    ASSERT_EQ(cut.swapchainCount, 1U);
    EXPECT_EQ(*cut.pSwapchains, swapchains[1]);
    EXPECT_EQ(*cut.pImageIndices, 8U);
    EXPECT_EQ(cut.pResults, &results[1]);
    ASSERT_EQ(cut.waitSemaphoreCount, 1U);
    EXPECT_EQ(*cut.pWaitSemaphores, relay);
}

TEST_F(SinglePresentTest, CutsEveryArrayOfTheChain) {
    const SinglePresent single(info, 2, relay);
    const void* const chain = single.info().pNext;
    const auto* id = find_in_chain<VkPresentIdKHR>(chain, VK_STRUCTURE_TYPE_PRESENT_ID_KHR);
    ASSERT_NE(id, nullptr);
    EXPECT_EQ(id->swapchainCount, 1U);
    EXPECT_EQ(*id->pPresentIds, 90U);
    const auto* mode = find_in_chain<VkSwapchainPresentModeInfoEXT>(
        chain, VK_STRUCTURE_TYPE_SWAPCHAIN_PRESENT_MODE_INFO_EXT);
    ASSERT_NE(mode, nullptr);
    EXPECT_EQ(mode->swapchainCount, 1U);
    EXPECT_EQ(*mode->pPresentModes, VK_PRESENT_MODE_IMMEDIATE_KHR);
    // An array that is not there stays so.
    const auto* region =
        find_in_chain<VkPresentRegionsKHR>(chain, VK_STRUCTURE_TYPE_PRESENT_REGIONS_KHR);
    ASSERT_NE(region, nullptr);
    EXPECT_EQ(region->pRegions, nullptr);
    EXPECT_EQ(region->swapchainCount, 1U);
}

TEST_F(SinglePresentTest, LeavesTheApplicationsOwnAlone) {
    const SinglePresent single(info, 1, relay);
    EXPECT_EQ(info.pNext, &ids);
    EXPECT_EQ(ids.pNext, &modes);
    EXPECT_EQ(ids.pPresentIds, numbers.data());
    EXPECT_EQ(ids.swapchainCount, 3U);
}

} // namespace
} // namespace fencebridge::test
