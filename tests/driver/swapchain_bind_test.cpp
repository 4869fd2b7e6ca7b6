// An image that is bound to no memory but to a swapchain's image: the layer lets the bind pass, and
// sees nothing in it to hand off.
#include "driver/driver_test.hpp"
#include "support/headless_swapchain.hpp"

#include <vulkan/vulkan.h>

#include <map>

namespace fencebridge::test {
namespace {

/// A second VkImage on the memory of a swapchain's image.
class SwapchainAlias {
public:
    SwapchainAlias(const VulkanContext& context, const HeadlessSwapchain& swapchain, uint32_t index)
        : context_(context) {
        const VkImageSwapchainCreateInfoKHR of_swapchain{
            .sType = VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR,
            .swapchain = swapchain.handle,
        };
        const VkImageCreateInfo info{
            .sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
            .pNext = &of_swapchain,
            .imageType = VK_IMAGE_TYPE_2D,
            .format = VK_FORMAT_B8G8R8A8_UNORM,
            .extent = {swapchain.extent.width, swapchain.extent.height, 1},
            .mipLevels = 1,
            .arrayLayers = 1,
            .samples = VK_SAMPLE_COUNT_1_BIT,
            .tiling = VK_IMAGE_TILING_OPTIMAL,
            .usage = swapchain.usage,
        };
        FB_VK(vkCreateImage(context.device, &info, nullptr, &image));
        const VkBindImageMemorySwapchainInfoKHR to_swapchain{
            .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR,
            .swapchain = swapchain.handle,
            .imageIndex = index,
        };
        const VkBindImageMemoryInfo bind{
            .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
            .pNext = &to_swapchain,
            .image = image,
        };
        FB_VK(vkBindImageMemory2(context.device, 1, &bind));
    }
    ~SwapchainAlias() { vkDestroyImage(context_.device, image, nullptr); }
    SwapchainAlias(const SwapchainAlias&) = delete;
    SwapchainAlias& operator=(const SwapchainAlias&) = delete;

    VkImage image = VK_NULL_HANDLE;

private:
    const VulkanContext& context_;
};

/// Clears each image by its alias, reads it back by the swapchain's own, and presents it.
void draw_and_present(const VulkanContext& context) {
    const HeadlessSwapchain swapchain(
        context, {64, 64}, VK_IMAGE_USAGE_TRANSFER_SRC_BIT | VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    const Buffer read_back(
        context, 4, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    std::map<uint32_t, SwapchainAlias> aliases;
    CommandBuffer commands(context);
    for (uint32_t frame = 1; frame <= 2 * swapchain.images.size(); ++frame) {
        const uint32_t index = swapchain.acquire();
        const VkImage own = swapchain.images.at(index);
        const VkImage alias =
            aliases.try_emplace(index, context, swapchain, index).first->second.image;
        const VkClearColorValue colour = colour_of(new_value + frame);
        const VkBufferImageCopy first_pixel{
            .imageSubresource = {VK_IMAGE_ASPECT_COLOR_BIT, 0, 0, 1},
            .imageExtent = {1, 1, 1},
        };
        commands.begin();
        commands.change_layout(alias, VK_IMAGE_LAYOUT_UNDEFINED,
                               VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL);
        vkCmdClearColorImage(commands.handle, alias, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL, &colour,
                             1, &whole_image);
        commands.change_layout(alias, VK_IMAGE_LAYOUT_TRANSFER_DST_OPTIMAL,
                               VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL);
        vkCmdCopyImageToBuffer(commands.handle, own, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                               read_back.buffer, 1, &first_pixel);
        commands.change_layout(alias, VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL,
                               VK_IMAGE_LAYOUT_PRESENT_SRC_KHR);
        commands.end();
        swapchain.present(commands, index);
        FB_VK(vkDeviceWaitIdle(context.device));
        EXPECT_EQ(*read_back.mapped, new_value + frame) << "image " << index;
    }
}

struct Mode {
    Layers layers;
    const char* present; ///< the setting
};
std::string by_mode(const testing::TestParamInfo<Mode>& parameter) {
    return std::string(parameter.param.present) + name(parameter.param.layers);
}

class SwapchainBind : public testing::TestWithParam<Mode> {};

TEST_P(SwapchainBind, ReachesTheSwapchainsImage) {
    testing::internal::CaptureStderr();
    {
        VulkanContext context(with_headless_swapchain(
            {.layers = GetParam().layers, .settings = {{"PRESENT", GetParam().present}}}));
        draw_and_present(context);
        expect_no_messages(context);
    }
    const std::string log = testing::internal::GetCapturedStderr();
    // A bind is no hand-off; only the presents of an owned swapchain are.
    const bool none = log.find("releases 0 (") != std::string::npos;
    const bool is_native = std::string(GetParam().present) == "native";
    EXPECT_EQ(none, has_bridge(GetParam().layers) && is_native) << log;
}
INSTANTIATE_TEST_SUITE_P(
    Mode, SwapchainBind,
    testing::Values(Mode{Layers::ValidationOnly, "native"}, Mode{Layers::Bridge, "native"},
                    Mode{Layers::ValidationBelow, "native"},
                    Mode{Layers::ValidationAbove, "native"}, Mode{Layers::Bridge, "owned"},
                    Mode{Layers::ValidationBelow, "owned"}, Mode{Layers::ValidationAbove, "owned"}),
    by_mode);

} // namespace
} // namespace fencebridge::test
