#include "present/wayland/client.hpp"

#include <dlfcn.h>
#include <type_traits>

namespace fencebridge {

WaylandClient wayland; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

namespace {

bool fill() {
    // Never closed: the functions are used as long as the process lives.
    void* const library = ::dlopen("libwayland-client.so.0", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return false;
    }
    bool has_all = true;
    const auto find = [&](auto& function, const char* name) {
        // dlsym gives functions as data.
        function =
            reinterpret_cast<std::remove_reference_t<decltype(function)>>(::dlsym(library, name));
        has_all = has_all && function != nullptr;
    };
#define FENCEBRIDGE_FIND(name) find(wayland.name, "wl_" #name);
    FENCEBRIDGE_WAYLAND_FUNCTIONS(FENCEBRIDGE_FIND)
#undef FENCEBRIDGE_FIND
    return has_all;
}

} // namespace

bool WaylandClient::load() {
    static const bool has_all = fill();
    return has_all;
}

} // namespace fencebridge
