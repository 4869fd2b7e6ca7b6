// An application that does a fixed list of steps (script_*.cpp) and writes down what it sees of
// each, in the file that the recording layer writes to as well.
#pragma once

#include "transparency/call_text.hpp"

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {

class Application {
public:
    /// `shares_memory`: enables VK_KHR_external_memory_fd, and what goes with it.
    explicit Application(bool shares_memory);
    ~Application();
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;

    bool shares_memory;
    VkInstance instance = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device = VK_NULL_HANDLE;
    VkDevice device = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE;
    VkCommandPool pool = VK_NULL_HANDLE;

    /// A step of its own: the function of that name is called where there is one, and what comes of
    /// it is written down. False where there is none, and where it fails. The second argument is of
    /// the function's type, and says no more.
    template<typename Result, typename... Parameters>
    bool call(const char* name, Result(VKAPI_PTR* type)(Parameters...),
              std::type_identity_t<Parameters>... arguments) {
        begin_step(name);
        const auto function = reinterpret_cast<decltype(type)>(find(name, is_of_device(type)));
        if (function == nullptr) {
            write("application: absent");
            return false;
        }
        const std::string begin = "application: " + call_text::inputs(name, arguments...);
        if constexpr (std::is_void_v<Result>) {
            function(arguments...);
            write(begin + call_text::outputs(arguments...));
            return true;
        } else {
            const Result result = function(arguments...);
            write(begin + call_text::answer(result, arguments...));
            if constexpr (std::is_same_v<Result, VkResult>) {
                return result >= 0;
            }
            return true;
        }
    }

    /// A step that only asks whether there is such a function.
    void look_up(const char* name);

    uint32_t memory_type(uint32_t allowed, VkMemoryPropertyFlags wanted);
    bool has_extension(const char* name) const { return extensions_.contains(name); }

private:
    template<typename Result, typename First, typename... Others>
    static constexpr bool is_of_device(Result(VKAPI_PTR* /*function*/)(First, Others...)) {
        return std::is_same_v<First, VkDevice> || std::is_same_v<First, VkQueue> ||
               std::is_same_v<First, VkCommandBuffer>;
    }
    void begin_step(const char* name);
    void write(const std::string& line);
    /// As applications find functions: those of devices by the device.
    PFN_vkVoidFunction find(const char* name, bool of_device) const;
    void make_instance();
    void make_device();

    int file_;
    std::set<std::string> extensions_; ///< those of the device that are enabled
};

/// FB_CALL(application, QueueSubmit, arguments...): a step.
#define FB_CALL(application_, name_, ...)                                                          \
    (application_).call("vk" #name_, PFN_vk##name_(), __VA_ARGS__)

// The script, in this order.
void script_of_surfaces(Application& application);
void script_of_memory(Application& application);
void script_of_objects(Application& application);
void script_of_commands(Application& application);
void script_of_submits(Application& application);

} // namespace fencebridge::test
