// Extension lists, added to on copies.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <span>
#include <vector>

namespace fencebridge {

/// The extension names that an application passed, plus ours. Borrows all names.
class ExtensionList {
public:
    ExtensionList(const char* const* names, uint32_t count) : names_(names, names + count) {}

    bool contains(const char* extension) const;

    /// Adds `extension` unless it is there already.
    void add(const char* extension);

    /// Adds it where `available` has it.
    void add_if_available(const char* extension, std::span<const VkExtensionProperties> available);

    const char* const* data() const { return names_.data(); }
    uint32_t size() const { return static_cast<uint32_t>(names_.size()); }

private:
    std::vector<const char*> names_;
};

bool contains(std::span<const VkExtensionProperties> available, const char* extension);

} // namespace fencebridge
