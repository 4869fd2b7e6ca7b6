// No exception leaves the library.
#pragma once

#include "report/log.hpp"

#include <vulkan/vulkan_core.h>

#include <exception>
#include <new>
#include <utility>

namespace fencebridge {

/// Runs `body`, a callable that returns VkResult; what it throws becomes the result.
template<typename Body>
VkResult guarded(Body&& body) noexcept {
    try {
        return std::forward<Body>(body)();
    } catch (const std::bad_alloc&) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    } catch (const std::exception& error) {
        log(LogLevel::Error, "unexpected: %s", error.what());
        return VK_ERROR_UNKNOWN;
    }
}

/// After the driver has made an object: records it, or destroys it again where there is no memory
/// to record it, and passes the exception on.
template<typename Record, typename Destroy>
void record_or_destroy(Record&& record, Destroy&& destroy) {
    try {
        std::forward<Record>(record)();
    } catch (const std::bad_alloc&) {
        std::forward<Destroy>(destroy)();
        throw;
    }
}

/// The same for calls that return nothing: `what` says what is lost where memory runs out.
template<typename Body>
void guarded_void(const char* what, Body&& body) noexcept {
    try {
        std::forward<Body>(body)();
    } catch (const std::exception& error) {
        log(LogLevel::Error, "%s: %s", what, error.what());
    }
}

} // namespace fencebridge
