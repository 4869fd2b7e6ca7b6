// VK_EXT_headless_surface on a driver that does not have it: the layer makes it whole.
#include "driver/machine_without_headless.hpp"
#include "support/mapped_library.hpp"

#include <vulkan/vulkan.h>

#include <optional>
#include <string>
#include <vector>

namespace fencebridge::test {
namespace {

/// Where the system has the drivers' manifests.
constexpr const char* manifests = "/usr/share/vulkan/icd.d";

class NoHeadless : public testing::TestWithParam<std::string> {};

TEST_P(NoHeadless, RunsWithTheLoaderThatItShould) {
    EXPECT_EQ(is_mapped(old_loader), is_old_loader());
}

TEST_P(NoHeadless, WithoutTheLayerThereIsNone) {
    EXPECT_FALSE(is_offered());
    VkInstance instance = VK_NULL_HANDLE;
    EXPECT_EQ(make_instance(instance), VK_ERROR_EXTENSION_NOT_PRESENT);
}

TEST_P(NoHeadless, WithTheLayerThereIs) {
    const Variable on("ENABLE_FENCEBRIDGE", "1");
    EXPECT_TRUE(is_offered());
    VkInstance instance = VK_NULL_HANDLE;
    ASSERT_EQ(make_instance(instance), VK_SUCCESS);
    vkDestroyInstance(instance, nullptr);
}

INSTANTIATE_TEST_SUITE_P(Driver, NoHeadless, testing::Values("Driver" + loader()),
                         [](const auto& one) { return one.param; });

/// Settings that want the driver's own swapchains: it has none for such a surface.
class Unsupported : public testing::TestWithParam<PresentMode> {};

TEST_P(Unsupported, IsSaidAndNothingReachesTheDriver) {
    testing::internal::CaptureStderr();
    {
        const VulkanContext context(options_of(GetParam()));
        const HeadlessSurface surface(context);
        VkBool32 is_supported = VK_TRUE;
        EXPECT_EQ(vkGetPhysicalDeviceSurfaceSupportKHR(context.physical_device, 0, surface.handle,
                                                       &is_supported),
                  VK_SUCCESS);
        EXPECT_EQ(is_supported, VK_FALSE);
        VkSurfaceCapabilitiesKHR capabilities{};
        EXPECT_LT(vkGetPhysicalDeviceSurfaceCapabilitiesKHR(context.physical_device, surface.handle,
                                                            &capabilities),
                  0);
        uint32_t count = 0;
        EXPECT_LT(vkGetPhysicalDeviceSurfaceFormatsKHR(context.physical_device, surface.handle,
                                                       &count, nullptr),
                  0);
        EXPECT_LT(vkGetPhysicalDeviceSurfacePresentModesKHR(context.physical_device, surface.handle,
                                                            &count, nullptr),
                  0);
        const VkSwapchainCreateInfoKHR info{
            .sType = VK_STRUCTURE_TYPE_SWAPCHAIN_CREATE_INFO_KHR,
            .surface = surface.handle,
            .minImageCount = 2,
            .imageFormat = VK_FORMAT_B8G8R8A8_UNORM,
            .imageColorSpace = VK_COLOR_SPACE_SRGB_NONLINEAR_KHR,
            .imageExtent = {present_extent.width, present_extent.height},
            .imageArrayLayers = 1,
            .imageUsage = present_usage,
            .preTransform = VK_SURFACE_TRANSFORM_IDENTITY_BIT_KHR,
            .compositeAlpha = VK_COMPOSITE_ALPHA_OPAQUE_BIT_KHR,
            .presentMode = VK_PRESENT_MODE_FIFO_KHR,
        };
        VkSwapchainKHR swapchain = VK_NULL_HANDLE;
        EXPECT_EQ(vkCreateSwapchainKHR(context.device, &info, nullptr, &swapchain),
                  VK_ERROR_INITIALIZATION_FAILED);
    }
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_NE(log.find("no swapchain"), std::string::npos) << log;
}
INSTANTIATE_TEST_SUITE_P(Mode, Unsupported,
                         testing::Values(PresentMode{Layers::Bridge, "native"},
                                         PresentMode{Layers::Bridge, "wait"}),
                         by_mode_and_loader);

/// The driver without the extension beside one that has it: each device is its own driver's.
class Beside : public testing::TestWithParam<std::string> {
protected:
    struct Answer {
        VkDriverId driver;
        bool is_supported;
        uint32_t modes;
    };

    /// One a device, of each driver that `drivers` names, by their manifests.
    static std::vector<Answer> answers(const std::string& drivers, bool with_layer) {
        const Variable both("VK_DRIVER_FILES", drivers);
        std::optional<Variable> on;
        if (with_layer) {
            on.emplace("ENABLE_FENCEBRIDGE", "1");
        }
        const Variable setting("VK_FENCEBRIDGE_PRESENT", GetParam());
        VkInstance instance = VK_NULL_HANDLE;
        FB_VK(make_instance(instance));
        const VkHeadlessSurfaceCreateInfoEXT info{
            .sType = VK_STRUCTURE_TYPE_HEADLESS_SURFACE_CREATE_INFO_EXT};
        const auto create = reinterpret_cast<PFN_vkCreateHeadlessSurfaceEXT>(
            vkGetInstanceProcAddr(instance, "vkCreateHeadlessSurfaceEXT"));
        VkSurfaceKHR surface = VK_NULL_HANDLE;
        FB_VK(create(instance, &info, nullptr, &surface));
        uint32_t count = 0;
        FB_VK(vkEnumeratePhysicalDevices(instance, &count, nullptr));
        std::vector<VkPhysicalDevice> devices(count);
        FB_VK(vkEnumeratePhysicalDevices(instance, &count, devices.data()));
        std::vector<Answer> all;
        for (VkPhysicalDevice device : devices) {
            VkPhysicalDeviceDriverProperties its{
                .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES};
            VkPhysicalDeviceProperties2 properties{
                .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, .pNext = &its};
            vkGetPhysicalDeviceProperties2(device, &properties);
            VkBool32 is_supported = VK_FALSE;
            FB_VK(vkGetPhysicalDeviceSurfaceSupportKHR(device, 0, surface, &is_supported));
            uint32_t modes = 0;
            if (is_supported == VK_TRUE) {
                FB_VK(vkGetPhysicalDeviceSurfacePresentModesKHR(device, surface, &modes, nullptr));
            }
            all.push_back({its.driverID, is_supported == VK_TRUE, modes});
        }
        vkDestroySurfaceKHR(instance, surface, nullptr);
        vkDestroyInstance(instance, nullptr);
        return all;
    }

    static std::string other() {
        const bool is_lavapipe = machine().own.find("lvp") != std::string::npos;
        return std::string(manifests) + (is_lavapipe ? "/virtio_icd.json" : "/lvp_icd.json");
    }
};

TEST_P(Beside, OneThatHasItEachIsServedByItsOwn) {
    const auto alone = answers(other(), false);
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_TRUE(alone.front().is_supported);
    const auto both = answers(machine().driver.manifest.string() + ":" + other(), true);
    ASSERT_EQ(both.size(), 2U);
    const bool layer_may = GetParam() != "native";
    for (const Answer& one : both) {
        if (one.driver == alone.front().driver) {
            EXPECT_TRUE(one.is_supported);
            EXPECT_EQ(one.modes, alone.front().modes) << "these are not the driver's answers";
        } else {
            EXPECT_EQ(one.is_supported, layer_may);
        }
    }
}
INSTANTIATE_TEST_SUITE_P(Present, Beside,
                         testing::Values(std::string("native"), std::string("auto")),
                         [](const auto& one) { return one.param + loader(); });

} // namespace
} // namespace fencebridge::test
