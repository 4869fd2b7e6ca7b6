// A Vulkan instance and device for a test, with or without the layer, with or without validation.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fencebridge::test {

/// Whether the layer is there, and where the validation layer stands beside it.
enum class Layers : uint8_t {
    None,            ///< nothing but the driver
    Bridge,          ///< our layer alone
    ValidationBelow, ///< application -> ours -> validation -> driver: are our calls valid?
    ValidationAbove, ///< application -> validation -> ours -> driver: is the application's view?
    ValidationOnly,  ///< application -> validation -> driver: is the test itself valid?
};
std::string name(Layers layers);
bool has_bridge(Layers layers);

struct ContextOptions {
    Layers layers = Layers::None;
    uint32_t api_version = VK_API_VERSION_1_3;
    /// False: neither VK_KHR_external_memory_fd nor anything else that shares memory.
    bool shares_memory = true;
    /// VK_FENCEBRIDGE_* for this instance, e.g. {"FENCE_SOURCE", "wait"}.
    std::vector<std::pair<std::string, std::string>> settings;
    /// Whole variables, for this instance: what switches other layers on.
    std::vector<std::pair<std::string, std::string>> environment;
    uint32_t queue_count = 1;  ///< at most; of family 0
    uint32_t spare_queues = 0; ///< at most; behind those, and nobody fetches them
    bool device_group = false; ///< the device is made of a group, of this one alone
    std::vector<const char*> instance_extensions; ///< more to enable; without them there is none
    std::vector<const char*> device_extensions;   ///< the same
};

/// Owns instance, device and command pool. Failures abort the test process with a message: a test
/// without its device proves nothing. One thread.
class VulkanContext {
public:
    explicit VulkanContext(const ContextOptions& options);
    ~VulkanContext();
    VulkanContext(const VulkanContext&) = delete;
    VulkanContext& operator=(const VulkanContext&) = delete;

    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    std::vector<VkQueue> queues;
    VkQueue queue = VK_NULL_HANDLE; ///< the first
    VkCommandPool pool = VK_NULL_HANDLE;
    std::string device_name;
    VkDriverId driver = static_cast<VkDriverId>(0);
    bool has_dma_buf = false; ///< exports dma-bufs
    bool has_timelines = false;
    bool is_device_group = false;

    /// A device function, as an application gets it. Aborts where there is none.
    template<typename F>
    F function(const char* function_name) const {
        return reinterpret_cast<F>(lookup(function_name));
    }

    /// Whether the physical device has an extension, enabled or not.
    bool supports(const char* device_extension) const;

    /// Empty where the physical device has them all; else the reason for a skip.
    std::string lacks(const std::vector<const char*>& device_extensions) const;

    /// What validation, or our layer's checks, said since the last call: "ID: text", warnings and
    /// errors.
    std::vector<std::string> take_messages();

    uint32_t memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted) const;

private:
    PFN_vkVoidFunction lookup(const char* function_name) const;
    struct Messages;
    std::unique_ptr<Messages> messages_;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
};

/// Aborts with the call's text where it did not succeed.
#define FB_VK(call) ::fencebridge::test::must_succeed((call), #call, __FILE__, __LINE__)
void must_succeed(VkResult result, const char* call, const char* file, int line);

} // namespace fencebridge::test
