#include "bench/layer_sets.hpp"

#include "support/mapped_library.hpp"
#include "support/results.hpp"

#include <cstdio>
#include <cstdlib>
#include <sys/wait.h>
#include <unistd.h>

namespace fencebridge::test {

std::vector<LayerSet> all_layer_sets() {
    const auto named = [](const std::string& layer) {
        return std::pair<std::string, std::string>("VK_INSTANCE_LAYERS", layer);
    };
    return {
        {.name = "none", .environment = {}, .library = {}},
        {.name = "empty",
         .environment = {named("VK_LAYER_TEST_passing")},
         .library = "VkLayer_TEST_passing"},
        {.name = "fencebridge",
         .layers = Layers::Bridge,
         .environment = {},
         .library = "VkLayer_FENCEBRIDGE"},
        {.name = "mangohud",
         .environment = {{"MANGOHUD", "1"}, {"MANGOHUD_CONFIG", "no_display"}},
         .library = "MangoHud"},
        {.name = "vkbasalt", .environment = {{"ENABLE_VKBASALT", "1"}}, .library = "vkbasalt"},
        {.name = "mesa_overlay",
         .environment = {named("VK_LAYER_MESA_overlay"),
                         {"VK_LAYER_MESA_OVERLAY_CONFIG", "no_display"}},
         .library = "VkLayer_MESA_overlay"},
        {.name = "validation_idle",
         .environment = {named("VK_LAYER_KHRONOS_validation"),
                         {"VK_VALIDATION_VALIDATE_CORE", "0"},
                         {"VK_VALIDATION_VALIDATE_SYNC", "0"},
                         {"VK_VALIDATION_CHECK_SHADERS", "0"},
                         {"VK_VALIDATION_STATELESS_PARAM", "0"},
                         {"VK_VALIDATION_OBJECT_LIFETIME", "0"},
                         {"VK_VALIDATION_THREAD_SAFETY", "0"},
                         {"VK_VALIDATION_UNIQUE_HANDLES", "0"}},
         .library = "VkLayer_khronos_validation"},
    };
}

ContextOptions with_layers(const LayerSet& set, ContextOptions options) {
    options.layers = set.layers;
    options.environment.insert(options.environment.end(), set.environment.begin(),
                               set.environment.end());
    return options;
}

bool works_here(const LayerSet& set) {
    (void)std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        const VulkanContext context(with_layers(set, {.shares_memory = false}));
        ::_exit(set.library.empty() || is_mapped(set.library) ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    if (status == 0) {
        return true;
    }
    record_start("layer/" + set.name);
    record_end("layer/" + set.name, Status::Skip,
               WIFSIGNALED(status) ? set.library + " dies on this machine"
                                   : "this machine lacks the layer " + set.library);
    return false;
}

} // namespace fencebridge::test
