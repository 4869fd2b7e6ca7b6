// Which drivers know VK_EXT_headless_surface.
//
// The layer offers the extension in its manifest, so that the loader accepts it where no driver has
// it. No call says which drivers know the surface that the loader then makes, and asking them about
// it is no way to find out: loaders before 1.4.310 hand those that do not an object of their own.
// Hence the drivers' libraries, which are in the process, are asked for their extensions, as the
// loader asks them.
#pragma once

#include <vulkan/vulkan_core.h>

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace fencebridge {

struct Instance;

/// What tells a physical device from all others, whichever instance it is seen through.
struct DeviceIdentity {
    std::array<uint8_t, VK_UUID_SIZE> driver{};
    std::array<uint8_t, VK_UUID_SIZE> device{};

    bool operator==(const DeviceIdentity&) const = default;
};

/// A driver of this process.
struct LoadedDriver {
    bool has_headless = false;
    /// Asked for only where the extension is what tells it from others. None: it does not say.
    std::optional<std::vector<DeviceIdentity>> devices;
};

/// Whether the driver of `device` (none: it does not say which it is) knows headless surfaces.
/// Where that cannot be told it does not: the layer's own answers are right on every driver, the
/// driver's are not.
bool knows_headless_surfaces(std::span<const LoadedDriver> drivers,
                             const std::optional<DeviceIdentity>& device);

/// The answers for one instance, which is of an application that enabled the extension. Any thread.
class HeadlessDrivers {
public:
    /// Whether the driver of this device of `instance` knows headless surfaces. Asks the drivers
    /// when it is first called.
    bool know(const Instance& instance, VkPhysicalDevice physical_device);

private:
    std::once_flag asked_;
    std::vector<LoadedDriver> drivers_;
};

} // namespace fencebridge
