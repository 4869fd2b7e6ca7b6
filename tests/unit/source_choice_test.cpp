// Which fence source and acquire method a device gets, and why.
#include "fence/source_choice.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fencebridge::test {

namespace {

/// A driver that can do everything, on a current kernel.
FenceCapabilities everything(VkDriverId driver = VK_DRIVER_ID_MESA_RADV) {
    return {
        .driver = driver,
        .semaphore_export = true,
        .semaphore_import = true,
        .fence_export = true,
        .fence_import = true,
        .kernel = KernelSupport::Full,
    };
}

} // namespace

struct AutomaticSource {
    const char* name;
    FenceCapabilities capabilities;
    SourceKind kind;
    const char* why; ///< a word that the reason must hold
};
class Automatically : public testing::TestWithParam<AutomaticSource> {};

TEST_P(Automatically, ChoosesWhatDoesNotBlock) {
    const SourceChoice choice = choose_source(GetParam().capabilities, std::nullopt);
    EXPECT_EQ(choice.kind, GetParam().kind) << name(choice.kind);
    EXPECT_NE(std::string(choice.why).find(GetParam().why), std::string::npos) << choice.why;
    EXPECT_EQ(choice.refused, nullptr);
}

INSTANTIATE_TEST_SUITE_P(
    Source, Automatically, testing::ValuesIn([] {
        std::vector<AutomaticSource> table;
        table.push_back({"generic", everything(), SourceKind::Semaphore, "pending"});
        table.push_back({"venus", everything(VK_DRIVER_ID_MESA_VENUS), SourceKind::Fence,
                         "semaphore export blocks"});
        table.push_back({"llvmpipe", everything(VK_DRIVER_ID_MESA_LLVMPIPE), SourceKind::Wait,
                         "waits for the work anyway"});
        auto only_fences = everything();
        only_fences.semaphore_export = false;
        table.push_back({"only_fences", only_fences, SourceKind::Fence, "no semaphores"});
        auto only_blocking = everything(VK_DRIVER_ID_MESA_VENUS);
        only_blocking.fence_export = false;
        table.push_back({"venus_without_fences", only_blocking, SourceKind::Wait, "anyway"});
        auto none = everything(VK_DRIVER_ID_NVIDIA_PROPRIETARY);
        none.semaphore_export = none.fence_export = false;
        table.push_back({"no_sync_fd", none, SourceKind::Wait, "no SYNC_FD"});
        auto cpu_driver = everything(VK_DRIVER_ID_MESA_LLVMPIPE);
        cpu_driver.vgem = true;
        table.push_back({"llvmpipe_with_vgem", cpu_driver, SourceKind::Proxy, "a vgem fence"});
        none.vgem = true;
        table.push_back({"no_sync_fd_with_vgem", none, SourceKind::Proxy, "no SYNC_FD"});
        auto needs_no_proxy = everything();
        needs_no_proxy.vgem = true;
        table.push_back({"generic_with_vgem", needs_no_proxy, SourceKind::Semaphore, "pending"});
        auto old_kernel = everything();
        old_kernel.vgem = true;
        old_kernel.kernel = KernelSupport::Unsupported;
        table.push_back({"old_kernel", old_kernel, SourceKind::Wait, "Linux 6.0"});
        auto unprobed = everything(static_cast<VkDriverId>(0));
        unprobed.kernel = KernelSupport::Unknown;
        table.push_back({"kernel_not_probed", unprobed, SourceKind::Semaphore, "pending"});
        return table;
    }()),
    [](const auto& instance) { return instance.param.name; });

TEST(RequestedSource, WinsWhereItCanWork) {
    for (const SourceKind kind : {SourceKind::Semaphore, SourceKind::Fence, SourceKind::Wait}) {
        // Also on a driver where it blocks: whoever asks wants to see just that.
        for (const VkDriverId driver : {VK_DRIVER_ID_MESA_RADV, VK_DRIVER_ID_MESA_VENUS}) {
            const SourceChoice choice = choose_source(everything(driver), kind);
            EXPECT_EQ(choice.kind, kind);
            EXPECT_EQ(choice.refused, nullptr);
            EXPECT_NE(std::string(choice.why).find("fence_source"), std::string::npos);
        }
    }
}

TEST(RequestedSource, ImpossibleOneIsRefusedWithAReason) {
    FenceCapabilities no_semaphores = everything();
    no_semaphores.semaphore_export = false;
    const SourceChoice fence_instead = choose_source(no_semaphores, SourceKind::Semaphore);
    EXPECT_EQ(fence_instead.kind, SourceKind::Fence);
    ASSERT_NE(fence_instead.refused, nullptr);
    EXPECT_NE(std::string(fence_instead.refused).find("semaphores"), std::string::npos);

    FenceCapabilities no_fences = everything();
    no_fences.fence_export = false;
    const SourceChoice semaphore_instead = choose_source(no_fences, SourceKind::Fence);
    EXPECT_EQ(semaphore_instead.kind, SourceKind::Semaphore);
    ASSERT_NE(semaphore_instead.refused, nullptr);
    EXPECT_NE(std::string(semaphore_instead.refused).find("fences"), std::string::npos);
}

TEST(RequestedSource, OldKernelRefusesAllButWait) {
    FenceCapabilities old_kernel = everything();
    old_kernel.kernel = KernelSupport::Unsupported;
    for (const SourceKind kind : {SourceKind::Semaphore, SourceKind::Fence}) {
        const SourceChoice choice = choose_source(old_kernel, kind);
        EXPECT_EQ(choice.kind, SourceKind::Wait);
        ASSERT_NE(choice.refused, nullptr);
        EXPECT_NE(std::string(choice.refused).find("IMPORT_SYNC_FILE"), std::string::npos);
    }
    EXPECT_EQ(choose_source(old_kernel, SourceKind::Wait).refused, nullptr);
}

TEST(AcquireChoice, ImportsWhereItCan) {
    const AcquireChoice automatic = choose_acquire(everything(), std::nullopt);
    EXPECT_EQ(automatic.method, AcquireMethod::Import);
    EXPECT_EQ(automatic.refused, nullptr);
    EXPECT_EQ(choose_acquire(everything(), AcquireMethod::Import).method, AcquireMethod::Import);
}

TEST(AcquireChoice, PollsWhereAsked) {
    const AcquireChoice choice = choose_acquire(everything(), AcquireMethod::Poll);
    EXPECT_EQ(choice.method, AcquireMethod::Poll);
    EXPECT_EQ(choice.refused, nullptr);
    EXPECT_NE(std::string(choice.why).find("setting"), std::string::npos);
}

TEST(AcquireChoice, PollsWhereImportIsImpossible) {
    FenceCapabilities no_import = everything();
    no_import.semaphore_import = false;
    FenceCapabilities old_kernel = everything();
    old_kernel.kernel = KernelSupport::Unsupported;
    for (const FenceCapabilities& capabilities : {no_import, old_kernel}) {
        const AcquireChoice automatic = choose_acquire(capabilities, std::nullopt);
        EXPECT_EQ(automatic.method, AcquireMethod::Poll);
        EXPECT_EQ(automatic.refused, nullptr) << "nobody asked: nothing was refused";
        const AcquireChoice requested = choose_acquire(capabilities, AcquireMethod::Import);
        EXPECT_EQ(requested.method, AcquireMethod::Poll);
        EXPECT_NE(requested.refused, nullptr);
    }
}

TEST(AcquireChoice, ThreadIsTheNextBestWhereNothingCanBeImported) {
    FenceCapabilities no_import = everything();
    no_import.semaphore_import = false;
    no_import.timelines = true;
    EXPECT_EQ(choose_acquire(no_import, std::nullopt).method, AcquireMethod::Thread);
    const AcquireChoice refused = choose_acquire(no_import, AcquireMethod::Import);
    EXPECT_EQ(refused.method, AcquireMethod::Thread);
    EXPECT_NE(refused.refused, nullptr);
    no_import.timelines = false;
    const AcquireChoice no_thread = choose_acquire(no_import, AcquireMethod::Thread);
    EXPECT_EQ(no_thread.method, AcquireMethod::Poll);
    EXPECT_NE(no_thread.refused, nullptr);
}

TEST(GuardChoice, NeedsVgemAndAKernelThatAttaches) {
    FenceCapabilities capabilities = everything();
    EXPECT_FALSE(choose_guard(capabilities, GuardSetting::Auto).on);
    EXPECT_EQ(choose_guard(capabilities, GuardSetting::Auto).refused, nullptr);
    EXPECT_NE(choose_guard(capabilities, GuardSetting::On).refused, nullptr);
    capabilities.vgem = true;
    EXPECT_TRUE(choose_guard(capabilities, GuardSetting::Auto).on);
    EXPECT_TRUE(choose_guard(capabilities, GuardSetting::On).on);
    EXPECT_FALSE(choose_guard(capabilities, GuardSetting::Off).on);
    capabilities.kernel = KernelSupport::Unsupported;
    EXPECT_FALSE(choose_guard(capabilities, GuardSetting::On).on);
}

} // namespace fencebridge::test
