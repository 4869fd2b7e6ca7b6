// A layer that stands below ours and writes down every call that reaches it, in the file that
// FENCEBRIDGE_RECORDING names. FENCEBRIDGE_MEDDLE makes it act as if the layer above it had
// interfered: the tests must notice.
#include "support/test_layer.hpp"
#include "transparency/call_text.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <tuple>
#include <unistd.h>
#include <unordered_map>

namespace fencebridge::test {

namespace {

void write_line(const std::string& line) {
    static const int file = [] {
        const char* const path = std::getenv("FENCEBRIDGE_RECORDING");
        return path != nullptr ? ::open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    }();
    const std::string whole = "driver: " + line + "\n";
    if (file >= 0) {
        (void)!::write(file, whole.data(), whole.size());
    }
}

bool meddles(std::string_view how) {
    static const char* const wanted = std::getenv("FENCEBRIDGE_MEDDLE");
    return wanted != nullptr && how == wanted;
}

/// A name as a type: the functions' types alone are not one for each.
template<size_t size>
struct Name {
    std::array<char, size> text{};
    // NOLINTNEXTLINE(google-explicit-constructor): a literal is to become one.
    consteval Name(const char (&literal)[size]) { std::copy_n(literal, size, text.begin()); }
    constexpr std::string_view view() const { return {text.data(), size - 1}; }
};

template<Name name, typename Function>
struct Recorded;
template<Name name, typename Result, typename First, typename... Others>
struct Recorded<name, Result(VKAPI_PTR*)(First, Others...)> {
    using Function = Result(VKAPI_PTR*)(First, Others...);
    static constexpr bool is_of_device = std::is_same_v<First, VkDevice> ||
                                         std::is_same_v<First, VkQueue> ||
                                         std::is_same_v<First, VkCommandBuffer>;
    static inline Function next = nullptr;

    static VKAPI_ATTR Result VKAPI_CALL call(First first, Others... others) {
        if constexpr (name.view() == "vkQueueSubmit") {
            if (meddles("extra_submit")) {
                record(first, 0, nullptr, VK_NULL_HANDLE);
            }
        }
        if constexpr (name.view() == "vkCreateFence") {
            if (meddles("dropped_structure")) {
                return record_without_chain(first, others...);
            }
        }
        if constexpr (name.view() == "vkResetCommandBuffer") {
            if (meddles("other_code")) {
                (void)record(first, others...);
                return VK_NOT_READY;
            }
        }
        if constexpr (name.view() == "vkGetBufferMemoryRequirements2") {
            if (meddles("other_output")) {
                record(first, others...);
                auto& requirements = *std::get<1>(std::tie(others...));
                requirements.memoryRequirements.alignment *= 2;
                return;
            }
        }
        return record(first, others...);
    }

    static Result record(First first, Others... others) {
        const std::string begin =
            call_text::inputs(call_text::plain_name(name.view()), first, others...);
        if constexpr (std::is_void_v<Result>) {
            next(first, others...);
            write_line(begin + call_text::outputs(others...));
        } else {
            const Result result = next(first, others...);
            write_line(begin + call_text::answer(result, others...));
            return result;
        }
    }

    template<typename Info, typename... Rest>
    static Result record_without_chain(First first, const Info* info, Rest... rest) {
        Info changed = *info;
        changed.pNext = nullptr;
        return record(first, &changed, rest...);
    }
};

/// Each function of the headers, with its type.
template<typename Visit>
void each_function(Visit&& visit) {
#define F(name_) visit.template operator()<Recorded<"vk" #name_, PFN_vk##name_>>("vk" #name_);
#include "all_functions.inc"
#undef F
}

VKAPI_ATTR VkResult VKAPI_CALL CreateInstance(const VkInstanceCreateInfo* info,
                                              const VkAllocationCallbacks* allocator,
                                              VkInstance* instance) {
    const VkResult result = create_below(*info, *info, allocator, instance);
    write_line(call_text::inputs("vkCreateInstance", info, allocator, instance) +
               call_text::answer(result, instance));
    if (result == VK_SUCCESS) {
        each_function([]<typename Its>(const char* name) {
            if constexpr (!Its::is_of_device) {
                Its::next = next_layer().of_instance<typename Its::Function>(name);
            }
        });
    }
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
    const VkResult result = create_below(physical_device, *info, *info, allocator, device);
    // In pieces: what our layer adds is known one by one (calls_test.cpp).
    for (uint32_t i = 0; i < info->enabledExtensionCount; ++i) {
        write_line(std::string("extension ") + info->ppEnabledExtensionNames[i]);
    }
    std::string chain;
    call_text::add_chain(chain, info->pNext);
    write_line("features " + chain);
    write_line(call_text::inputs("vkCreateDevice", physical_device) +
               call_text::answer(result, device));
    if (result == VK_SUCCESS) {
        each_function([&]<typename Its>(const char* name) {
            if constexpr (Its::is_of_device) {
                Its::next = next_layer().of_device<typename Its::Function>(*device, name);
            }
        });
    }
    return result;
}

} // namespace

PFN_vkVoidFunction layer_function(std::string_view wanted) {
    static const auto all = [] {
        std::unordered_map<std::string_view, PFN_vkVoidFunction> functions{
            {"vkCreateInstance", untyped(&CreateInstance)},
            {"vkCreateDevice", untyped(&CreateDevice)},
        };
        each_function([&]<typename Its>(std::string_view name) {
            functions.emplace(name, untyped(&Its::call));
        });
        return functions;
    }();
    const auto found = all.find(wanted);
    return found != all.end() ? found->second : nullptr;
}

} // namespace fencebridge::test
