#include "apps/picture.hpp"

#include "apps/frames.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <png.h>
#include <string_view>

namespace fencebridge::test {

namespace {

constexpr uint32_t gap = 24;
constexpr uint32_t panel = frame_width * 2;
constexpr uint32_t title_height = 48;
constexpr uint32_t strip_height = 96;
constexpr uint32_t width = 3 * gap + 2 * panel;
constexpr uint32_t height = title_height + panel + gap + strip_height + gap;

constexpr uint32_t background = 0x1b1f24;
constexpr uint32_t ink = 0xe6e6e6;
constexpr uint32_t green = 0x3fb950;
constexpr uint32_t red = 0xf85149;

class Canvas {
public:
    Canvas() : pixels_(size_t{width} * height, background) {}

    void set(uint32_t x, uint32_t y, uint32_t colour) {
        if (x < width && y < height) {
            pixels_[size_t{y} * width + x] = colour & 0xffffffU;
        }
    }
    void fill(uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t colour) {
        for (uint32_t row = y; row < y + h; ++row) {
            for (uint32_t column = x; column < x + w; ++column) {
                set(column, row, colour);
            }
        }
    }
    uint32_t at(uint32_t x, uint32_t y) const { return pixels_[size_t{y} * width + x]; }

private:
    std::vector<uint32_t> pixels_;
};

/// The three letters of the two titles, five by seven.
constexpr std::array<uint8_t, 7> glyph(char letter) {
    switch (letter) {
    case 'O':
        return {0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110};
    case 'F':
        return {0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b10000};
    case 'N':
        return {0b10001, 0b11001, 0b11001, 0b10101, 0b10011, 0b10011, 0b10001};
    default:
        return {};
    }
}

void write_title(Canvas& canvas, uint32_t x, uint32_t y, std::string_view text) {
    constexpr uint32_t scale = 4;
    for (const char letter : text) {
        const auto rows = glyph(letter);
        for (uint32_t row = 0; row < rows.size(); ++row) {
            for (uint32_t column = 0; column < 5; ++column) {
                if ((uint32_t{rows[row]} >> (4 - column) & 1U) != 0) {
                    canvas.fill(x + column * scale, y + row * scale, scale, scale, ink);
                }
            }
        }
        x += 6 * scale;
    }
}

void draw_panel(Canvas& canvas, uint32_t left, std::string_view title, const PairResult& result) {
    write_title(canvas, left, 10, title);
    for (uint32_t y = 0; y < panel; ++y) {
        for (uint32_t x = 0; x < panel; ++x) {
            canvas.set(left + x, title_height + y,
                       result.picture[size_t{y / 2} * frame_width + x / 2]);
        }
    }
    if (result.strip.empty()) {
        return;
    }
    const uint32_t top = title_height + panel + gap;
    for (uint32_t x = 0; x < panel; ++x) {
        const size_t first = result.strip.size() * x / panel;
        const size_t last = std::max(first + 1, result.strip.size() * (x + 1) / panel);
        const uint32_t wrong =
            *std::max_element(result.strip.begin() + static_cast<std::ptrdiff_t>(first),
                              result.strip.begin() +
                                  static_cast<std::ptrdiff_t>(std::min(last, result.strip.size())));
        const uint32_t old = strip_height * wrong / band_count;
        canvas.fill(left + x, top, 1, strip_height - old, green);
        canvas.fill(left + x, top + strip_height - old, 1, old, red);
    }
}

} // namespace

bool write_picture(const std::filesystem::path& path, const PairResult& off, const PairResult& on) {
    Canvas canvas;
    draw_panel(canvas, gap, "OFF", off);
    draw_panel(canvas, 2 * gap + panel, "ON", on);
    std::vector<png_byte> bytes;
    bytes.reserve(size_t{width} * height * 3);
    for (uint32_t y = 0; y < height; ++y) {
        for (uint32_t x = 0; x < width; ++x) {
            const uint32_t colour = canvas.at(x, y);
            for (const uint32_t shift : {16U, 8U, 0U}) {
                bytes.push_back(static_cast<png_byte>(colour >> shift & 0xffU));
            }
        }
    }
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_RGB;
    if (png_image_write_to_file(&image, path.c_str(), 0, bytes.data(), 0, nullptr) == 0) {
        std::fprintf(stderr, "%s: %s\n", path.c_str(), static_cast<const char*>(image.message));
        return false;
    }
    return true;
}

} // namespace fencebridge::test
