// Prints the settings that an instance gets in this process's environment, as JSON.
// Arguments NAME=TEXT (string), NAME:NUMBER (an integer) stand for the application's own
// VkLayerSettingsCreateInfoEXT.
#include "config.hpp"
#include "dispatch/settings.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <deque>
#include <iostream>
#include <string>
#include <sys/auxv.h>
#include <vector>

int main(int argc, char** argv) {
    using namespace fencebridge;
    std::deque<std::string> names;
    std::deque<std::string> texts;
    std::deque<const char*> pointers;
    std::deque<int32_t> numbers;
    std::vector<VkLayerSettingEXT> settings;
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const size_t sign = argument.find_first_of("=:");
        names.push_back(argument.substr(0, sign));
        const std::string value = argument.substr(sign + 1);
        VkLayerSettingEXT setting{
            .pLayerName = FENCEBRIDGE_LAYER_NAME,
            .pSettingName = names.back().c_str(),
            .type = VK_LAYER_SETTING_TYPE_STRING_EXT,
            .valueCount = 1,
        };
        if (argument[sign] == '=') {
            texts.push_back(value);
            pointers.push_back(texts.back().c_str());
            setting.pValues = &pointers.back();
        } else {
            numbers.push_back(std::stoi(value));
            setting.type = VK_LAYER_SETTING_TYPE_INT32_EXT;
            setting.pValues = &numbers.back();
        }
        settings.push_back(setting);
    }
    const VkLayerSettingsCreateInfoEXT ours{
        .sType = VK_STRUCTURE_TYPE_LAYER_SETTINGS_CREATE_INFO_EXT,
        .settingCount = static_cast<uint32_t>(settings.size()),
        .pSettings = settings.data(),
    };
    const VkInstanceCreateInfo info{
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pNext = settings.empty() ? nullptr : &ours,
    };
    const Settings read = read_settings(info);
    const nlohmann::json json{
        {"policy", name(read.policy)},
        {"fence_source", read.fence_source ? name(*read.fence_source) : "auto"},
        {"acquire", read.acquire ? name(*read.acquire) : "auto"},
        {"guard", static_cast<int>(read.guard)},
        {"present", name(read.present)},
        {"explicit_sync", static_cast<int>(read.explicit_sync)},
        {"check", static_cast<int>(read.check)},
        {"acquire_timeout_ms", read.acquire_timeout.count()},
        {"log_level", static_cast<int>(read.log_level)},
        {"trace", read.trace},
    };
    std::cout << json << std::endl; // NOLINT(performance-avoid-endl): it may be the last word
    if (::getauxval(AT_SECURE) != 0) {
        // LeakSanitizer may not trace such a process and would end it with an error.
        std::_Exit(0);
    }
    return 0;
}
