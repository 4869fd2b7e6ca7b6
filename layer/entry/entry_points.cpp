#include "entry/entry_points.hpp"

#include "entry/states.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace fencebridge::entry {

namespace {

enum class Level : uint8_t {
    Instance,
    Surface,
    Headless,
    AnySurface,
    SurfaceDevice,
    Device,
    PresentingDevice,
    SharingDevice,
    ObjectDevice,
    TouchingDevice
};

struct EntryPoint {
    std::string_view name;
    PFN_vkVoidFunction function;
    Level level;
};

// NOLINTBEGIN(bugprone-macro-parentheses): an enumerator's name cannot stand in parentheses.
#define FENCEBRIDGE_AT(level_, name_)                                                              \
    EntryPoint{"vk" #name_, reinterpret_cast<PFN_vkVoidFunction>(&name_), Level::level_},
// NOLINTEND(bugprone-macro-parentheses)
#define FENCEBRIDGE_AT_INSTANCE(name_) FENCEBRIDGE_AT(Instance, name_)
#define FENCEBRIDGE_AT_SURFACE(name_) FENCEBRIDGE_AT(Surface, name_)
#define FENCEBRIDGE_AT_HEADLESS(name_) FENCEBRIDGE_AT(Headless, name_)
#define FENCEBRIDGE_AT_ANY_SURFACE(name_) FENCEBRIDGE_AT(AnySurface, name_)
#define FENCEBRIDGE_AT_SURFACE_DEVICE(name_) FENCEBRIDGE_AT(SurfaceDevice, name_)
#define FENCEBRIDGE_AT_PRESENTING(name_) FENCEBRIDGE_AT(PresentingDevice, name_)
#define FENCEBRIDGE_AT_DEVICE(name_) FENCEBRIDGE_AT(Device, name_)
#define FENCEBRIDGE_AT_SHARING(name_) FENCEBRIDGE_AT(SharingDevice, name_)
#define FENCEBRIDGE_AT_OBJECT(name_) FENCEBRIDGE_AT(ObjectDevice, name_)
#define FENCEBRIDGE_AT_TOUCHING(name_) FENCEBRIDGE_AT(TouchingDevice, name_)

const std::array entry_points = [] {
    std::array points{
        FENCEBRIDGE_INSTANCE_FUNCTIONS(FENCEBRIDGE_AT_INSTANCE) FENCEBRIDGE_SURFACE_FUNCTIONS(
            FENCEBRIDGE_AT_SURFACE) FENCEBRIDGE_HEADLESS_FUNCTIONS(FENCEBRIDGE_AT_HEADLESS)
            FENCEBRIDGE_ANY_SURFACE_FUNCTIONS(FENCEBRIDGE_AT_ANY_SURFACE)
                FENCEBRIDGE_SURFACE_DEVICE_FUNCTIONS(FENCEBRIDGE_AT_SURFACE_DEVICE)
                    FENCEBRIDGE_DEVICE_FUNCTIONS(FENCEBRIDGE_AT_DEVICE)
                        FENCEBRIDGE_PRESENTING_FUNCTIONS(FENCEBRIDGE_AT_PRESENTING)
                            FENCEBRIDGE_SHARING_FUNCTIONS(FENCEBRIDGE_AT_SHARING)
                                FENCEBRIDGE_OBJECT_FUNCTIONS(FENCEBRIDGE_AT_OBJECT)
                                    FENCEBRIDGE_TOUCHING_FUNCTIONS(FENCEBRIDGE_AT_TOUCHING)};
    std::sort(points.begin(), points.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    return points;
}();

const EntryPoint* find(const char* name) {
    const auto found = std::lower_bound(
        entry_points.begin(), entry_points.end(), std::string_view(name),
        [](const EntryPoint& point, std::string_view wanted) { return point.name < wanted; });
    return found != entry_points.end() && found->name == name ? &*found : nullptr;
}

bool may_own(const Instance& instance) {
    return instance.settings.present == PresentSetting::Owned ||
           instance.settings.present == PresentSetting::Auto;
}

bool has_headless(const Instance& instance) {
    return instance.headless_drivers != nullptr;
}

/// Of an instance's functions; those of devices always, for this serves them all.
bool concerns(Level level, const Instance& instance) {
    switch (level) {
    case Level::Surface:
        return may_own(instance);
    case Level::Headless:
        return has_headless(instance);
    case Level::AnySurface:
        return may_own(instance) || has_headless(instance);
    default:
        return true;
    }
}

bool concerns(Level level, const DeviceState& state) {
    switch (level) {
    case Level::Instance:
    case Level::Surface:
    case Level::Headless:
    case Level::AnySurface:
        return false;
    case Level::SurfaceDevice:
        return state.presentation != nullptr || has_headless(*state.device.instance);
    case Level::PresentingDevice:
        return state.presentation != nullptr;
    case Level::Device:
        return true;
    case Level::SharingDevice:
        return state.bridge != nullptr;
    case Level::ObjectDevice:
        return state.presentation != nullptr ||
               (state.bridge != nullptr && state.bridge->checks != nullptr);
    case Level::TouchingDevice:
        break;
    }
    return state.bridge != nullptr && state.bridge->follows_uses();
}

} // namespace

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetInstanceProcAddr(VkInstance instance,
                                                             const char* name) {
    const EntryPoint* const ours = find(name);
    if (instance == VK_NULL_HANDLE) {
        return ours != nullptr && ours->level == Level::Instance ? ours->function : nullptr;
    }
    if (ours != nullptr && ours->level == Level::Instance) {
        return ours->function;
    }
    // A device function got from an instance serves every device, sharing or not: ours passes calls
    // on for those that share nothing. What the rest of the chain does not know stays unknown.
    const PFN_vkVoidFunction theirs =
        instance_of(instance).next.GetInstanceProcAddr(instance, name);
    if (ours == nullptr || theirs == nullptr) {
        return theirs;
    }
    return concerns(ours->level, instance_of(instance)) ? ours->function : theirs;
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL GetDeviceProcAddr(VkDevice device, const char* name) {
    const DeviceState& state = device_of(device);
    const PFN_vkVoidFunction theirs = state.device.next.GetDeviceProcAddr(device, name);
    if (theirs == nullptr) {
        return nullptr;
    }
    const EntryPoint* const ours = find(name);
    return ours != nullptr && concerns(ours->level, state) ? ours->function : theirs;
}

} // namespace fencebridge::entry
