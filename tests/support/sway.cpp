#include "support/sway.hpp"

namespace fencebridge::test {

Command headless_sway(const std::string& configuration) {
    return {.argv = {sway_program, "--config", configuration},
            .environment = {{"DISPLAY", std::nullopt},
                            {"WAYLAND_DISPLAY", std::nullopt},
                            {"WLR_BACKENDS", "headless"},
                            {"WLR_RENDERER", "gles2"},
                            {"WLR_RENDER_DRM_DEVICE", render_node},
                            {"WLR_LIBINPUT_NO_DEVICES", "1"}}};
}

} // namespace fencebridge::test
