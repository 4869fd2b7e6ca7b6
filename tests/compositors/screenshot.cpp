#include "compositors/screenshot.hpp"

#include "compositors/compositor_run.hpp"
#include "support/child_process.hpp"

#include <png.h>
#include <stdexcept>

namespace fencebridge::test {

namespace {

Screenshot read_png(const std::string& file) {
    png_image header{};
    header.version = PNG_IMAGE_VERSION;
    if (png_image_begin_read_from_file(&header, file.c_str()) == 0) {
        throw std::runtime_error(file + ": " + static_cast<const char*>(header.message));
    }
    // As words: blue lowest.
    header.format = PNG_FORMAT_BGRA;
    Screenshot screenshot;
    screenshot.extent = {header.width, header.height};
    screenshot.pixels.resize(size_t{header.width} * header.height);
    if (png_image_finish_read(&header, nullptr, screenshot.pixels.data(), 0, nullptr) == 0) {
        throw std::runtime_error(file + ": " + static_cast<const char*>(header.message));
    }
    for (uint32_t& pixel : screenshot.pixels) {
        pixel &= 0x00ffffffU;
    }
    return screenshot;
}

} // namespace

Screenshot take_screenshot(const std::string& file) {
    const ChildResult tool = run_child(
        {"/usr/bin/python3", "-B", from_build("FENCEBRIDGE_SCREENSHOT"), compositor_name(), file});
    if (tool.exit_status != 0) {
        throw std::runtime_error("no screenshot: " + tool.err);
    }
    return read_png(file);
}

} // namespace fencebridge::test
