// vkSetPrivateData on owned swapchains, which no driver knows.
#pragma once

#include <vulkan/vulkan_core.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace fencebridge {

/// Thread-safe.
class PrivateData {
public:
    void set(uint64_t object, VkPrivateDataSlot slot, uint64_t data) {
        const std::lock_guard guard(mutex_);
        data_[{object, slot}] = data;
    }
    /// 0 where nothing was set.
    uint64_t get(uint64_t object, VkPrivateDataSlot slot) const {
        const std::lock_guard guard(mutex_);
        const auto found = data_.find({object, slot});
        return found == data_.end() ? 0 : found->second;
    }
    void forget_object(uint64_t object) {
        const std::lock_guard guard(mutex_);
        std::erase_if(data_, [&](const auto& one) { return one.first.first == object; });
    }
    void forget_slot(VkPrivateDataSlot slot) {
        const std::lock_guard guard(mutex_);
        std::erase_if(data_, [&](const auto& one) { return one.first.second == slot; });
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<uint64_t, VkPrivateDataSlot>, uint64_t> data_;
};

} // namespace fencebridge
