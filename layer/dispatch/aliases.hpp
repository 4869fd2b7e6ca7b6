// Promoted functions: one place in the table, whatever name the device has them under.
#pragma once

#include <vulkan/utility/vk_dispatch_table.h>

namespace fencebridge {

/// Puts the KHR function where the device has no core one, for every promoted function that the
/// layer calls: they are the same function under two names, and callers ask for the core name
/// alone. What the device has under neither name stays null.
void unify_aliases(VkuDeviceDispatchTable& table);

/// The same for an instance. `is_1_0`: a Vulkan 1.0 instance, whose loader may give out core
/// functions that it has no right to: the KHR ones alone count.
void unify_aliases(VkuInstanceDispatchTable& table, bool is_1_0);

} // namespace fencebridge
