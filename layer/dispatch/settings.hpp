// The settings of one instance.
#pragma once

#include "dispatch/present_choice.hpp"
#include "fence/source_choice.hpp"
#include "report/log.hpp"

#include <vulkan/vulkan_core.h>

#include <chrono>
#include <optional>
#include <string>

namespace fencebridge {

/// Which events count as hand-offs.
enum class Policy : uint8_t {
    Auto,      ///< transfers; for memory that is never transferred, touch
    Transfers, ///< ownership transfers to and from EXTERNAL and FOREIGN
    Touch,     ///< transfers, and every submit whose commands name the resource
    Always,    ///< every submit, of all memory that a peer may hold
    Off,       ///< none: calls pass through
};

const char* name(Policy policy);

struct Settings {
    Policy policy = Policy::Auto;
    std::optional<SourceKind> fence_source; ///< none: auto
    std::optional<AcquireMethod> acquire;   ///< none: auto
    GuardSetting guard = GuardSetting::Auto;
    PresentSetting present = PresentSetting::Auto;
    bool explicit_sync = true; ///< linux-drm-syncobj for owned swapchains, where there is
    bool check = false;        ///< messages about misuse (handoff/ownership_checks.hpp)
    std::chrono::milliseconds acquire_timeout{5000};
    std::string trace; ///< a path (report/trace.hpp: trace_for); empty: none
    LogLevel log_level = LogLevel::Info;
};

/// Reads VkLayerSettingsCreateInfoEXT in `info`'s chain, VK_FENCEBRIDGE_* and
/// vk_layer_settings.txt, in Vulkan-Utility-Libraries' order. A value that is not understood is
/// named in the log and the default holds. With AT_SECURE set (setuid and the like) neither the
/// environment nor a file is read: only the defaults hold. Any thread.
Settings read_settings(const VkInstanceCreateInfo& info);

} // namespace fencebridge
