// scripted-application shares|keeps: does the whole script on a device that shares memory, or on
// one that does not. Prints which loader and whether our layer is there.
#include "support/mapped_library.hpp"
#include "transparency/application.hpp"

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
    using namespace fencebridge::test;
    Application application(argc > 1 && std::string_view(argv[1]) == "shares");
    if (is_mapped("libvulkan.so.1.3.239")) {
        std::puts("loader libvulkan.so.1.3.239");
    }
    if (is_mapped("VkLayer_FENCEBRIDGE")) {
        std::puts("layer");
    }
    script_of_surfaces(application);
    script_of_memory(application);
    script_of_objects(application);
    script_of_commands(application);
    script_of_submits(application);
    return 0;
}
