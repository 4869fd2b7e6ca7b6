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
        return choose_present(setting, SurfaceKind::Headless, everything());
    };
    EXPECT_EQ(chosen(PresentSetting::Native).method, PresentMethod::Native);
    EXPECT_EQ(chosen(PresentSetting::Wait).method, PresentMethod::Wait);
    EXPECT_EQ(chosen(PresentSetting::Owned).method, PresentMethod::Owned);
    EXPECT_EQ(chosen(PresentSetting::Auto).method, PresentMethod::Native);
    for (const PresentSetting setting : {PresentSetting::Native, PresentSetting::Wait,
                                         PresentSetting::Owned, PresentSetting::Auto}) {
        EXPECT_EQ(chosen(setting).refused, nullptr) << name(setting);
        EXPECT_STRNE(chosen(setting).why, "") << name(setting);
    }
}

TEST(PresentChoice, OwnedIsRefusedWithItsReason) {
    const auto refusal = [](SurfaceKind surface, const PresentCapabilities& capabilities) {
        const PresentChoice choice = choose_present(PresentSetting::Owned, surface, capabilities);
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

} // namespace fencebridge::test
