// What the script's commands are about.
#pragma once

#include "transparency/application.hpp"

#include <array>
#include <vector>

namespace fencebridge::test {

/// Made and destroyed in steps of the application. All images are in the layout GENERAL from the
/// first barrier on, as far as these commands care.
class CommandTargets {
public:
    explicit CommandTargets(Application& application);
    ~CommandTargets();
    CommandTargets(const CommandTargets&) = delete;
    CommandTargets& operator=(const CommandTargets&) = delete;

    std::array<VkBuffer, 2> buffers{}; ///< of 4096 bytes
    std::array<VkImage, 2> images{};   ///< 16 x 16, R8G8B8A8
    VkImage multisampled = VK_NULL_HANDLE;
    VkImage depth = VK_NULL_HANDLE;
    VkImageView view = VK_NULL_HANDLE; ///< of the first image
    VkRenderPass render_pass = VK_NULL_HANDLE;
    VkFramebuffer framebuffer = VK_NULL_HANDLE;
    std::array<VkEvent, 2> events{};
    VkQueryPool queries = VK_NULL_HANDLE;

private:
    VkImage make_image(VkFormat format, VkSampleCountFlagBits samples, VkImageUsageFlags usage);
    VkDeviceMemory allocate(const VkMemoryRequirements& needed);
    void make_pass();

    Application& application_;
    std::vector<VkDeviceMemory> memories_;
};

} // namespace fencebridge::test
