#include "dispatch/extensions.hpp"

#include <algorithm>
#include <string_view>

namespace fencebridge {

bool ExtensionList::contains(const char* extension) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&](const char* known) { return std::string_view(known) == extension; });
}

void ExtensionList::add(const char* extension) {
    if (!contains(extension)) {
        names_.push_back(extension);
    }
}

void ExtensionList::add_if_available(const char* extension,
                                     std::span<const VkExtensionProperties> available) {
    if (fencebridge::contains(available, extension)) {
        add(extension);
    }
}

bool contains(std::span<const VkExtensionProperties> available, const char* extension) {
    return std::any_of(available.begin(), available.end(), [&](const auto& known) {
        return std::string_view(static_cast<const char*>(known.extensionName)) == extension;
    });
}

} // namespace fencebridge
