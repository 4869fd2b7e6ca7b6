#include "dispatch/headless_drivers.hpp"

#include "dispatch/extensions.hpp"
#include "dispatch/instance.hpp"

#include <algorithm>
#include <dlfcn.h>
#include <exception>
#include <iterator>
#include <link.h>
#include <memory>
#include <string>

namespace fencebridge {

namespace {

using EntryPoints = PFN_vkGetInstanceProcAddr;

template<typename Function>
Function function(EntryPoints driver, VkInstance instance, const char* name) {
    return reinterpret_cast<Function>(driver(instance, name));
}

/// By path, as the dynamic linker has them.
std::vector<std::string> loaded_libraries() {
    struct Found {
        std::vector<std::string> paths;
        std::exception_ptr problem;
    } found;
    const auto add = [](dl_phdr_info* info, size_t /*size*/, void* to) {
        auto* const all = static_cast<Found*>(to);
        try {
            all->paths.emplace_back(info->dlpi_name);
            return 0;
        } catch (...) {
            // Not through the C library's frames.
            all->problem = std::current_exception();
            return 1;
        }
    };
    ::dl_iterate_phdr(add, &found);
    if (found.problem) {
        std::rethrow_exception(found.problem);
    }
    return found.paths;
}

struct CloseLibrary {
    void operator()(void* library) const { ::dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

/// What a driver's library gives the loader to start from; null where it is no driver's.
EntryPoints entry_points_of(const Library& library, const std::string& path) {
    void* const found = ::dlsym(library.get(), "vk_icdGetInstanceProcAddr");
    // dlsym() looks into the libraries that it depends on, too.
    Dl_info where{};
    return found != nullptr && ::dladdr(found, &where) != 0 && path == where.dli_fname
               ? reinterpret_cast<EntryPoints>(found)
               : nullptr;
}

bool has_headless(EntryPoints driver) {
    const auto enumerate = function<PFN_vkEnumerateInstanceExtensionProperties>(
        driver, VK_NULL_HANDLE, "vkEnumerateInstanceExtensionProperties");
    uint32_t count = 0;
    if (enumerate == nullptr || enumerate(nullptr, &count, nullptr) != VK_SUCCESS) {
        return false;
    }
    std::vector<VkExtensionProperties> extensions(count);
    if (enumerate(nullptr, &count, extensions.data()) != VK_SUCCESS) {
        return false;
    }
    extensions.resize(count);
    return contains(extensions, VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME);
}

/// None where the driver does not say.
std::optional<DeviceIdentity> identity(PFN_vkGetPhysicalDeviceProperties2 get_properties,
                                       VkPhysicalDevice physical_device) {
    VkPhysicalDeviceIDProperties ids{.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES};
    VkPhysicalDeviceProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &ids,
    };
    get_properties(physical_device, &properties);
    DeviceIdentity result;
    std::copy(std::begin(ids.driverUUID), std::end(ids.driverUUID), result.driver.begin());
    std::copy(std::begin(ids.deviceUUID), std::end(ids.deviceUUID), result.device.begin());
    return result == DeviceIdentity{} ? std::nullopt : std::optional(result);
}

/// Of all its devices; none where one of them does not say.
std::optional<std::vector<DeviceIdentity>> identities(EntryPoints driver, VkInstance instance) {
    const auto enumerate =
        function<PFN_vkEnumeratePhysicalDevices>(driver, instance, "vkEnumeratePhysicalDevices");
    const auto get_properties = function<PFN_vkGetPhysicalDeviceProperties2>(
        driver, instance, "vkGetPhysicalDeviceProperties2");
    uint32_t count = 0;
    if (enumerate == nullptr || get_properties == nullptr ||
        enumerate(instance, &count, nullptr) != VK_SUCCESS) {
        return std::nullopt;
    }
    std::vector<VkPhysicalDevice> devices(count);
    if (count != 0 && enumerate(instance, &count, devices.data()) != VK_SUCCESS) {
        return std::nullopt;
    }
    devices.resize(count);
    std::vector<DeviceIdentity> all;
    for (VkPhysicalDevice device : devices) {
        const auto one = identity(get_properties, device);
        if (!one) {
            return std::nullopt;
        }
        all.push_back(*one);
    }
    return all;
}

/// By an instance of the driver's own, which the loader does not see.
std::optional<std::vector<DeviceIdentity>> devices_of(EntryPoints driver) {
    const auto create = function<PFN_vkCreateInstance>(driver, VK_NULL_HANDLE, "vkCreateInstance");
    const VkApplicationInfo application{
        .sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
        .apiVersion = VK_API_VERSION_1_1,
    };
    const VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
    };
    VkInstance instance = VK_NULL_HANDLE;
    if (create == nullptr || create(&info, nullptr, &instance) != VK_SUCCESS) {
        return std::nullopt;
    }
    const auto destroy = function<PFN_vkDestroyInstance>(driver, instance, "vkDestroyInstance");
    const auto end = [destroy](VkInstance made) { destroy(made, nullptr); };
    const std::unique_ptr<std::remove_pointer_t<VkInstance>, decltype(end)> owner(instance, end);
    return identities(driver, instance);
}

bool has_it(const LoadedDriver& driver) {
    return driver.has_headless;
}

std::vector<LoadedDriver> loaded_drivers() {
    std::vector<Library> libraries; // none is unloaded meanwhile
    std::vector<EntryPoints> entry_points;
    std::vector<LoadedDriver> drivers;
    for (const std::string& path : loaded_libraries()) {
        Library library(::dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD));
        const EntryPoints found = library ? entry_points_of(library, path) : nullptr;
        if (found != nullptr) {
            libraries.push_back(std::move(library));
            entry_points.push_back(found);
            drivers.push_back({.has_headless = has_headless(found), .devices = std::nullopt});
        }
    }
    if (std::any_of(drivers.begin(), drivers.end(), has_it)) {
        for (size_t i = 0; i < drivers.size(); ++i) {
            if (!drivers[i].has_headless) {
                drivers[i].devices = devices_of(entry_points[i]);
            }
        }
    }
    return drivers;
}

} // namespace

bool knows_headless_surfaces(std::span<const LoadedDriver> drivers,
                             const std::optional<DeviceIdentity>& device) {
    if (std::none_of(drivers.begin(), drivers.end(), has_it)) {
        return false;
    }
    if (std::all_of(drivers.begin(), drivers.end(), has_it)) {
        return true;
    }
    if (!device) {
        return false;
    }
    const DeviceIdentity& its = *device;
    return std::none_of(drivers.begin(), drivers.end(), [&its](const LoadedDriver& driver) {
        return !driver.has_headless &&
               (!driver.devices || std::find(driver.devices->begin(), driver.devices->end(), its) !=
                                       driver.devices->end());
    });
}

bool HeadlessDrivers::know(const Instance& instance, VkPhysicalDevice physical_device) {
    std::call_once(asked_, [this] { drivers_ = loaded_drivers(); });
    if (knows_headless_surfaces(drivers_, std::nullopt)) {
        return true;
    }
    const auto get_properties = instance.next.GetPhysicalDeviceProperties2;
    return knows_headless_surfaces(drivers_, instance.has_properties2 && get_properties != nullptr
                                                 ? identity(get_properties, physical_device)
                                                 : std::nullopt);
}

} // namespace fencebridge
