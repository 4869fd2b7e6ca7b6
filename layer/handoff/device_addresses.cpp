#include "handoff/device_addresses.hpp"

#include <iterator>

namespace fencebridge {

void DeviceAddresses::add(VkBuffer buffer, VkDeviceAddress first, VkDeviceSize size) {
    const std::lock_guard guard(mutex_);
    by_first_.insert_or_assign(first, Range{buffer, size});
    any_.store(true, std::memory_order_relaxed);
}

void DeviceAddresses::remove(VkBuffer buffer) {
    if (!any_.load(std::memory_order_relaxed)) {
        return;
    }
    const std::lock_guard guard(mutex_);
    std::erase_if(by_first_, [&](const auto& known) { return known.second.buffer == buffer; });
}

VkBuffer DeviceAddresses::at(VkDeviceAddress address) const {
    const std::lock_guard guard(mutex_);
    const auto behind = by_first_.upper_bound(address);
    if (behind == by_first_.begin()) {
        return VK_NULL_HANDLE;
    }
    const auto& [first, range] = *std::prev(behind);
    return address - first < range.size ? range.buffer : VK_NULL_HANDLE;
}

} // namespace fencebridge
