// A stand-in: a driver without VK_EXT_headless_surface, made of one that has it. Drivers that lack
// it are old or proprietary, and both of the guest's have it. FENCEBRIDGE_HIDDEN_DRIVER names the
// library of the real one, which does everything else. A headless surface that reaches it ends the
// process: what a driver does with a kind of surface that it does not know is nobody's promise, and
// crashing is what some do.
#include <vulkan/vk_icd.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <iterator>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view hidden = VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME;

[[noreturn]] void fail(const char* what) {
    std::fprintf(stderr, "driver without headless surfaces: %s\n", what);
    std::abort();
}

/// A function that the real driver's library exports.
template<typename Function>
Function exported(const char* name) {
    static void* const library = [] {
        const char* const path =
            std::getenv("FENCEBRIDGE_HIDDEN_DRIVER"); // NOLINT(concurrency-mt-unsafe)
        void* const opened = path != nullptr ? ::dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
        if (opened == nullptr) {
            fail("FENCEBRIDGE_HIDDEN_DRIVER names no library");
        }
        return opened;
    }();
    return reinterpret_cast<Function>(::dlsym(library, name));
}

PFN_vkVoidFunction real(VkInstance instance, const char* name) {
    static const auto get = exported<PFN_vkGetInstanceProcAddr>("vk_icdGetInstanceProcAddr");
    return get(instance, name);
}

// A surface that a driver is given is its own, or, from old loaders, the loader's. Both begin with
// the platform.
void look(VkSurfaceKHR surface) {
    if (surface != VK_NULL_HANDLE && reinterpret_cast<const VkIcdSurfaceBase*>(surface)->platform ==
                                         VK_ICD_WSI_PLATFORM_HEADLESS) {
        fail("it was given a headless surface");
    }
}
void look(const VkPhysicalDeviceSurfaceInfo2KHR* info) {
    look(info->surface);
}
void look(const VkSwapchainCreateInfoKHR* info) {
    look(info->surface);
}
template<typename Other>
void look(const Other& /*other*/) {}

/// A function of the real driver's that looks at the surface first.
template<typename Function>
struct Watched;
template<typename Result, typename... Arguments>
struct Watched<Result(VKAPI_PTR*)(Arguments...)> {
    static inline Result(VKAPI_PTR* next)(Arguments...) = nullptr;

    static VKAPI_ATTR Result VKAPI_CALL call(Arguments... arguments) {
        (look(arguments), ...);
        return next(arguments...);
    }
};

// No two of these have one signature.
#define FUNCTIONS_WITH_SURFACES(F)                                                                 \
    F(DestroySurfaceKHR)                                                                           \
    F(GetPhysicalDeviceSurfaceSupportKHR)                                                          \
    F(GetPhysicalDeviceSurfaceCapabilitiesKHR)                                                     \
    F(GetPhysicalDeviceSurfaceCapabilities2KHR)                                                    \
    F(GetPhysicalDeviceSurfaceCapabilities2EXT)                                                    \
    F(GetPhysicalDeviceSurfaceFormatsKHR)                                                          \
    F(GetPhysicalDeviceSurfaceFormats2KHR)                                                         \
    F(GetPhysicalDeviceSurfacePresentModesKHR)                                                     \
    F(GetPhysicalDevicePresentRectanglesKHR)                                                       \
    F(GetDeviceGroupSurfacePresentModesKHR)                                                        \
    F(CreateSwapchainKHR)

PFN_vkVoidFunction watched(std::string_view name, PFN_vkVoidFunction function) {
    if (function == nullptr) {
        return nullptr;
    }
#define WATCH(name_)                                                                               \
    if (name == "vk" #name_) {                                                                     \
        using Its = Watched<PFN_vk##name_>;                                                        \
        Its::next = reinterpret_cast<PFN_vk##name_>(function);                                     \
        return reinterpret_cast<PFN_vkVoidFunction>(&Its::call);                                   \
    }
    FUNCTIONS_WITH_SURFACES(WATCH)
#undef WATCH
    return function;
}

VKAPI_ATTR VkResult VKAPI_CALL enumerate_extensions(const char* layer, uint32_t* count,
                                                    VkExtensionProperties* target) {
    const auto next = reinterpret_cast<PFN_vkEnumerateInstanceExtensionProperties>(
        real(VK_NULL_HANDLE, "vkEnumerateInstanceExtensionProperties"));
    uint32_t its_count = 0;
    next(layer, &its_count, nullptr);
    std::vector<VkExtensionProperties> all(its_count);
    const VkResult result = next(layer, &its_count, all.data());
    std::erase_if(all, [](const VkExtensionProperties& one) {
        return std::data(one.extensionName) == hidden;
    });
    if (target == nullptr) {
        *count = static_cast<uint32_t>(all.size());
        return result;
    }
    const bool is_enough = *count >= all.size();
    *count = std::min(*count, static_cast<uint32_t>(all.size()));
    std::copy_n(all.begin(), *count, target);
    return is_enough ? result : VK_INCOMPLETE;
}

VKAPI_ATTR VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo* info,
                                               const VkAllocationCallbacks* allocator,
                                               VkInstance* instance) {
    for (uint32_t i = 0; i < info->enabledExtensionCount; ++i) {
        if (info->ppEnabledExtensionNames[i] == hidden) {
            return VK_ERROR_EXTENSION_NOT_PRESENT;
        }
    }
    return reinterpret_cast<PFN_vkCreateInstance>(real(VK_NULL_HANDLE, "vkCreateInstance"))(
        info, allocator, instance);
}

PFN_vkGetDeviceProcAddr real_device_functions = nullptr;

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_function(VkDevice device, const char* name) {
    return watched(name, real_device_functions(device, name));
}

} // namespace

extern "C" {

[[gnu::visibility("default")]] VKAPI_ATTR VkResult VKAPI_CALL
vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t* version) {
    return exported<PFN_vkNegotiateLoaderICDInterfaceVersion>(
        "vk_icdNegotiateLoaderICDInterfaceVersion")(version);
}

[[gnu::visibility("default")]] VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vk_icdGetInstanceProcAddr(VkInstance instance, const char* name) {
    const std::string_view wanted(name);
    if (wanted == "vkCreateHeadlessSurfaceEXT") {
        return nullptr;
    }
    if (wanted == "vkEnumerateInstanceExtensionProperties") {
        return reinterpret_cast<PFN_vkVoidFunction>(&enumerate_extensions);
    }
    if (wanted == "vkCreateInstance") {
        return reinterpret_cast<PFN_vkVoidFunction>(&create_instance);
    }
    const PFN_vkVoidFunction found = real(instance, name);
    if (wanted == "vkGetDeviceProcAddr") {
        real_device_functions = reinterpret_cast<PFN_vkGetDeviceProcAddr>(found);
        return reinterpret_cast<PFN_vkVoidFunction>(&device_function);
    }
    return watched(wanted, found);
}

[[gnu::visibility("default")]] VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL
vk_icdGetPhysicalDeviceProcAddr(VkInstance instance, const char* name) {
    static const auto get =
        exported<PFN_GetPhysicalDeviceProcAddr>("vk_icdGetPhysicalDeviceProcAddr");
    return get != nullptr ? watched(name, get(instance, name)) : nullptr;
}

} // extern "C"
