// How many submits have reached the driver, by the empty layer that stands in front of it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace fencebridge::test {

/// The layer must be loaded: VK_INSTANCE_LAYERS=VK_LAYER_TEST_passing, in the folder that
/// VK_ADD_LAYER_PATH names. Aborts where it is not.
inline uint64_t passed_submits() {
    static const auto count = [] {
        const char* const folder =
            std::getenv("VK_ADD_LAYER_PATH"); // NOLINT(concurrency-mt-unsafe)
        const std::string path =
            std::string(folder != nullptr ? folder : ".") + "/libVkLayer_TEST_passing.so";
        void* const library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
        void* const found =
            library != nullptr ? ::dlsym(library, "fencebridge_passed_submits") : nullptr;
        if (found == nullptr) {
            std::fprintf(stderr, "the empty layer is not in this process\n");
            std::abort();
        }
        return reinterpret_cast<uint64_t (*)()>(found);
    }();
    return count();
}

} // namespace fencebridge::test
