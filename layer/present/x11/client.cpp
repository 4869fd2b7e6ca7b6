#include "present/x11/client.hpp"

#include <dlfcn.h>
#include <type_traits>

namespace fencebridge {

XcbClient xcb; // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

namespace {

/// Never closed: what is found in it is used as long as the process lives. Null: it is not there.
void* open_library(const char* name) {
    return ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

/// False, and null, where it is missing. dlsym gives functions as data.
template<typename Symbol>
bool find(void* library, const char* name, Symbol& symbol) {
    symbol = library == nullptr ? nullptr : reinterpret_cast<Symbol>(::dlsym(library, name));
    return symbol != nullptr;
}

bool fill() {
    bool has_all = true;
    void* library = open_library("libxcb.so.1");
#define FENCEBRIDGE_FIND(name) has_all = find(library, "xcb_" #name, xcb.name) && has_all;
    FENCEBRIDGE_XCB_FUNCTIONS(FENCEBRIDGE_FIND)
    library = open_library("libxcb-dri3.so.0");
    FENCEBRIDGE_XCB_DRI3_FUNCTIONS(FENCEBRIDGE_FIND)
    library = open_library("libxcb-present.so.0");
    FENCEBRIDGE_XCB_PRESENT_FUNCTIONS(FENCEBRIDGE_FIND)
#undef FENCEBRIDGE_FIND
    return has_all;
}

using GetXcbConnection = xcb_connection_t* (*)(_XDisplay*);

GetXcbConnection find_get_xcb_connection() {
    GetXcbConnection get = nullptr;
    find(open_library("libX11-xcb.so.1"), "XGetXCBConnection", get);
    return get;
}

} // namespace

bool XcbClient::load() {
    static const bool has_all = fill();
    return has_all;
}

xcb_connection_t* xcb_connection_of(_XDisplay* display) {
    static const GetXcbConnection get = find_get_xcb_connection();
    return get == nullptr ? nullptr : get(display);
}

} // namespace fencebridge
