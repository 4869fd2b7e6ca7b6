#include "dispatch/settings.hpp"

#include "config.hpp"

#include <vulkan/layer/vk_layer_settings.hpp>

#include <array>
#include <string>
#include <string_view>
#include <sys/auxv.h>
#include <utility>
#include <vector>

namespace fencebridge {

namespace {

template<typename T>
using Choice = std::pair<std::string_view, T>;

constexpr std::array<Choice<Policy>, 5> policies{{
    {"auto", Policy::Auto},
    {"transfers", Policy::Transfers},
    {"touch", Policy::Touch},
    {"always", Policy::Always},
    {"off", Policy::Off},
}};
constexpr std::array<Choice<std::optional<SourceKind>>, 5> sources{{
    {"auto", std::nullopt},
    {"semaphore", SourceKind::Semaphore},
    {"fence", SourceKind::Fence},
    {"proxy", SourceKind::Proxy},
    {"wait", SourceKind::Wait},
}};
constexpr std::array<Choice<std::optional<AcquireMethod>>, 4> acquires{{
    {"auto", std::nullopt},
    {"import", AcquireMethod::Import},
    {"thread", AcquireMethod::Thread},
    {"poll", AcquireMethod::Poll},
}};
constexpr std::array<Choice<GuardSetting>, 3> guards{{
    {"auto", GuardSetting::Auto},
    {"on", GuardSetting::On},
    {"off", GuardSetting::Off},
}};
constexpr std::array<Choice<PresentSetting>, 4> presents{{
    {"auto", PresentSetting::Auto},
    {"native", PresentSetting::Native},
    {"owned", PresentSetting::Owned},
    {"wait", PresentSetting::Wait},
}};
constexpr std::array<Choice<bool>, 2> where_there_is{{
    {"auto", true},
    {"off", false},
}};
constexpr std::array<Choice<bool>, 2> switches{{
    {"on", true},
    {"off", false},
}};
constexpr std::array<Choice<LogLevel>, 5> log_levels{{
    {"off", LogLevel::Off},
    {"error", LogLevel::Error},
    {"warn", LogLevel::Warn},
    {"info", LogLevel::Info},
    {"debug", LogLevel::Debug},
}};

void on_settings_message(const char* setting, const char* message) {
    log(LogLevel::Warn, "setting %s: %s", setting, message);
}

/// Owns the library's setting set for the time of the reading.
class SettingSet {
public:
    explicit SettingSet(const VkInstanceCreateInfo& info) {
        if (vkuCreateLayerSettingSet(FENCEBRIDGE_LAYER_NAME, vkuFindLayerSettingsCreateInfo(&info),
                                     nullptr, on_settings_message, &set_) != VK_SUCCESS) {
            set_ = VK_NULL_HANDLE;
            return;
        }
        vkuSetLayerSettingCompatibilityNamespace(set_, "FENCEBRIDGE");
    }
    ~SettingSet() {
        if (set_ != VK_NULL_HANDLE) {
            vkuDestroyLayerSettingSet(set_, nullptr);
        }
    }
    SettingSet(const SettingSet&) = delete;
    SettingSet& operator=(const SettingSet&) = delete;

    std::optional<std::string> text(const char* setting) const {
        std::string value;
        if (set_ == VK_NULL_HANDLE || vkuHasLayerSetting(set_, setting) == VK_FALSE ||
            vkuGetLayerSettingValue(set_, setting, value) != VK_SUCCESS) {
            return std::nullopt;
        }
        return value;
    }

    template<typename T, size_t N>
    void choose(const char* setting, const std::array<Choice<T>, N>& choices, T& target) const {
        const std::optional<std::string> value = text(setting);
        if (!value) {
            return;
        }
        std::string known;
        for (const auto& [word, meaning] : choices) {
            if (word == *value) {
                target = meaning;
                return;
            }
            known += known.empty() ? "" : ", ";
            known += word;
        }
        log(LogLevel::Error, "setting %s: \"%s\" is not one of %s; the default holds", setting,
            value->c_str(), known.c_str());
    }

    /// Milliseconds in 1 .. 600000.
    void choose_milliseconds(const char* setting, std::chrono::milliseconds& target) const {
        const std::optional<std::string> value = text(setting);
        if (!value) {
            return;
        }
        constexpr long longest = 600'000;
        char* end = nullptr;
        const long number = std::strtol(value->c_str(), &end, 10);
        if (value->empty() || *end != '\0' || number < 1 || number > longest) {
            log(LogLevel::Error,
                "setting %s: \"%s\" is not a number of milliseconds from 1 to %ld; the default "
                "of %lld holds",
                setting, value->c_str(), longest, static_cast<long long>(target.count()));
            return;
        }
        target = std::chrono::milliseconds(number);
    }

    /// A file's path. Vulkan-Utility-Libraries take commas and colons for the signs between the
    /// values of a list.
    void choose_path(const char* setting, std::string& target) const {
        std::vector<std::string> parts;
        if (set_ == VK_NULL_HANDLE || vkuHasLayerSetting(set_, setting) == VK_FALSE ||
            vkuGetLayerSettingValues(set_, setting, parts) != VK_SUCCESS || parts.empty()) {
            return;
        }
        if (parts.size() > 1) {
            log(LogLevel::Warn,
                "setting %s: a path with a comma or a colon cannot be given: %s ...", setting,
                parts.front().c_str());
            return;
        }
        target = parts.front();
    }

private:
    VkuLayerSettingSet set_ = VK_NULL_HANDLE;
};

} // namespace

const char* name(Policy policy) {
    for (const auto& [word, meaning] : policies) {
        if (meaning == policy) {
            return word.data();
        }
    }
    return "off";
}

Settings read_settings(const VkInstanceCreateInfo& info) {
    Settings settings;
    if (::getauxval(AT_SECURE) != 0) {
        return settings;
    }
    const SettingSet set(info);
    set.choose("log_level", log_levels, settings.log_level);
    set_log_level(settings.log_level);
    set.choose("policy", policies, settings.policy);
    set.choose("fence_source", sources, settings.fence_source);
    set.choose("acquire", acquires, settings.acquire);
    set.choose("guard", guards, settings.guard);
    set.choose("present", presents, settings.present);
    set.choose("explicit_sync", where_there_is, settings.explicit_sync);
    set.choose("check", switches, settings.check);
    set.choose_milliseconds("acquire_timeout_ms", settings.acquire_timeout);
    set.choose_path("trace", settings.trace);
    return settings;
}

} // namespace fencebridge
