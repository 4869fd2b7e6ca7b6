// Who makes a surface's swapchain.
#include "dispatch/present_choice.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencebridge::test {

namespace {

PresentCapabilities everything() {
    PresentCapabilities all;
    all.dma_buf_export = true;
    all.fences.semaphore_import = true;
    all.fences.fence_import = true;
    return all;
}

} // namespace

TEST(PresentChoice, EverySettingIsKept) {
    const auto chosen = [](PresentSetting setting) {
        return choose_present(setting, SurfaceKind::Headless, false, everything());
    };
    EXPECT_EQ(chosen(PresentSetting::Native).method, PresentMethod::Native);
    EXPECT_EQ(chosen(PresentSetting::Wait).method, PresentMethod::Wait);
    EXPECT_EQ(chosen(PresentSetting::Owned).method, PresentMethod::Owned);
    EXPECT_EQ(chosen(PresentSetting::Auto).method, PresentMethod::Owned);
    for (const PresentSetting setting : {PresentSetting::Native, PresentSetting::Wait,
                                         PresentSetting::Owned, PresentSetting::Auto}) {
        EXPECT_EQ(chosen(setting).refused, nullptr) << name(setting);
        EXPECT_STRNE(chosen(setting).why, "") << name(setting);
    }
}

TEST(PresentChoice, OwnedIsRefusedWithItsReason) {
    const auto refusal = [](SurfaceKind surface, const PresentCapabilities& capabilities) {
        const PresentChoice choice =
            choose_present(PresentSetting::Owned, surface, false, capabilities);
        EXPECT_EQ(choice.method, PresentMethod::Native);
        return std::string(choice.refused != nullptr ? choice.refused : "");
    };
    EXPECT_NE(refusal(SurfaceKind::Other, everything()).find("kind of surface"), std::string::npos);
    PresentCapabilities capabilities = everything();
    capabilities.dma_buf_export = false;
    EXPECT_NE(refusal(SurfaceKind::Headless, capabilities).find("dma-buf"), std::string::npos);
    for (const auto import :
         {&FenceCapabilities::semaphore_import, &FenceCapabilities::fence_import}) {
        capabilities = everything();
        capabilities.fences.*import = false;
        EXPECT_NE(refusal(SurfaceKind::Headless, capabilities).find("SYNC_FD"), std::string::npos);
    }
}

TEST(PresentChoice, AutoKnowsWhatDriversDoThemselves) {
    const auto chosen = [](VkDriverId driver, bool explicit_sync = false,
                           SurfaceKind surface = SurfaceKind::Wayland) {
        PresentCapabilities capabilities = everything();
        capabilities.fences.driver = driver;
        const PresentChoice choice =
            choose_present(PresentSetting::Auto, surface, explicit_sync, capabilities);
        EXPECT_STRNE(choice.why, "");
        return choice.method;
    };
    EXPECT_EQ(chosen(VK_DRIVER_ID_MESA_RADV), PresentMethod::Native);
    EXPECT_EQ(chosen(VK_DRIVER_ID_MESA_LLVMPIPE), PresentMethod::Native);
    EXPECT_EQ(chosen(VK_DRIVER_ID_MESA_VENUS), PresentMethod::Native);
    EXPECT_EQ(chosen(VK_DRIVER_ID_NVIDIA_PROPRIETARY), PresentMethod::Owned);
    EXPECT_EQ(chosen(VK_DRIVER_ID_NVIDIA_PROPRIETARY, true), PresentMethod::Native);
    // Explicit sync is of use to those that use it.
    EXPECT_EQ(chosen(VK_DRIVER_ID_AMD_PROPRIETARY, true), PresentMethod::Owned);
    EXPECT_EQ(chosen(VkDriverId{}, false, SurfaceKind::Other), PresentMethod::Native);
}

TEST(PresentChoice, DriversThatAreBestLeftAloneAreLeftAlone) {
    EXPECT_FALSE(may_own_swapchains(PresentSetting::Auto, VK_DRIVER_ID_MESA_RADV));
    EXPECT_TRUE(may_own_swapchains(PresentSetting::Auto, VK_DRIVER_ID_NVIDIA_PROPRIETARY));
    EXPECT_TRUE(may_own_swapchains(PresentSetting::Owned, VK_DRIVER_ID_MESA_RADV));
    EXPECT_FALSE(may_own_swapchains(PresentSetting::Native, VK_DRIVER_ID_NVIDIA_PROPRIETARY));
    EXPECT_FALSE(may_own_swapchains(PresentSetting::Wait, VK_DRIVER_ID_NVIDIA_PROPRIETARY));
}

TEST(PresentChoice, HeadlessSurfaceThatTheDriverDoesNotKnowIsOursOrNobodys) {
    for (const PresentSetting setting : {PresentSetting::Auto, PresentSetting::Owned}) {
        // Whatever `auto` thinks of the driver's own swapchain: there is none.
        PresentCapabilities capabilities = everything();
        capabilities.fences.driver = VK_DRIVER_ID_MESA_RADV;
        EXPECT_EQ(no_swapchain_without_driver(setting, capabilities), nullptr) << name(setting);
        capabilities.dma_buf_export = false;
        EXPECT_NE(no_swapchain_without_driver(setting, capabilities), nullptr) << name(setting);
    }
    for (const PresentSetting setting : {PresentSetting::Native, PresentSetting::Wait}) {
        EXPECT_NE(no_swapchain_without_driver(setting, everything()), nullptr) << name(setting);
    }
}

} // namespace fencebridge::test
