// Vulkan objects of our own, used again and again.
#pragma once

#include <vulkan/vulkan_core.h>

#include <span>
#include <vector>

namespace fencebridge {

/// Knows every object made, so that one whose use was lost (memory ran out, the device was lost) is
/// still destroyed in the end; by the holder, who makes them too. Not thread-safe.
template<typename Handle>
class HandlePool {
public:
    /// One that nobody uses, or null.
    Handle take() {
        if (idle_.empty()) {
            return VK_NULL_HANDLE;
        }
        const Handle handle = idle_.back();
        idle_.pop_back();
        return handle;
    }

    /// To be called before an object is made, as made() and give_back() must not fail. Throws
    /// std::bad_alloc.
    void make_room() {
        all_.reserve(all_.size() + 1);
        idle_.reserve(all_.size() + 1);
    }
    void made(Handle handle) noexcept { all_.push_back(handle); }
    void give_back(Handle handle) noexcept { idle_.push_back(handle); }

    /// It is destroyed, and was not idle.
    void forget(Handle handle) noexcept { std::erase(all_, handle); }

    std::span<const Handle> all() const { return all_; }

private:
    std::vector<Handle> all_;
    std::vector<Handle> idle_;
};

} // namespace fencebridge
