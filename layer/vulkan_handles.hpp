// Vulkan's non-dispatchable handles as types, and as the numbers that messages and other layers
// know them by.
//
// On 64-bit machines each kind is a pointer to a type of its own. On 32-bit ones the Vulkan headers
// make all of them the same uint64_t: an image and a buffer could not be told apart by overloads,
// nor a wrong one be found by the compiler. There each is a type of ours instead, of the size,
// alignment and calling convention of a uint64_t (a trivially copyable structure with that one
// member; i386's and Arm's ABIs pass both alike). Vulkan's headers take the definition only before
// they are first read, so 32-bit builds put this file before every other (see meson.build).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>

#if UINTPTR_MAX == UINT32_MAX

#if defined(VULKAN_CORE_H_) && !defined(FENCEBRIDGE_HANDLE_TYPES)
#error "on 32-bit machines the compiler must be told to include vulkan_handles.hpp first"
#endif
#define FENCEBRIDGE_HANDLE_TYPES

namespace fencebridge {

template<typename Object>
struct NonDispatchableHandle {
    NonDispatchableHandle() = default; // trivial, so that Vulkan's structures stay it
    // NOLINTNEXTLINE(google-explicit-constructor): VK_NULL_HANDLE is any handle
    constexpr NonDispatchableHandle(std::nullptr_t) noexcept : number(0) {}
    constexpr explicit NonDispatchableHandle(uint64_t value) noexcept : number(value) {}

    constexpr explicit operator bool() const noexcept { return number != 0; }
    auto operator<=>(const NonDispatchableHandle&) const = default;

    uint64_t number;
};

} // namespace fencebridge

template<typename Object>
struct std::hash<fencebridge::NonDispatchableHandle<Object>> {
    size_t operator()(fencebridge::NonDispatchableHandle<Object> handle) const noexcept {
        return std::hash<uint64_t>{}(handle.number);
    }
};

#define VK_NULL_HANDLE nullptr
#define VK_DEFINE_NON_DISPATCHABLE_HANDLE(object)                                                  \
    typedef ::fencebridge::NonDispatchableHandle<struct object##_T> object;

#endif

#include <vulkan/vulkan_core.h>

namespace fencebridge {

/// The number of an object in calls that take one of any kind (VkDebugUtilsObjectNameInfoEXT).
template<typename Handle>
uint64_t number_of(Handle handle) {
    if constexpr (std::is_pointer_v<Handle>) {
        return reinterpret_cast<uintptr_t>(handle);
    } else {
        return handle.number;
    }
}

/// The handle that has this number.
template<typename Handle>
Handle handle_of_number(uint64_t number) {
    if constexpr (std::is_pointer_v<Handle>) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): so these calls have it
        return reinterpret_cast<Handle>(static_cast<uintptr_t>(number));
    } else {
        return Handle(number);
    }
}

static_assert(sizeof(VkImage) == sizeof(uint64_t));
static_assert(std::is_trivially_copyable_v<VkImage> &&
              std::is_trivially_default_constructible_v<VkImage>);
static_assert(!std::is_same_v<VkImage, VkBuffer>);

} // namespace fencebridge
