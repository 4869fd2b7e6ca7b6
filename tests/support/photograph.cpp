#include "support/photograph.hpp"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace fencebridge::test {

namespace {

constexpr std::chrono::seconds patience{30};

std::filesystem::path job() {
    const char* const folder = std::getenv("FENCEBRIDGE_JOB"); // NOLINT(concurrency-mt-unsafe)
    return folder != nullptr ? folder : "";
}

std::string whole_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A binary PPM of 8 bits a channel.
Photograph read_ppm(const std::filesystem::path& path) {
    Photograph photo;
    std::ifstream file(path, std::ios::binary);
    std::string kind;
    unsigned most = 0;
    file >> kind >> photo.extent.width >> photo.extent.height >> most;
    file.get(); // the one white space before the pixels
    std::vector<char> bytes(size_t{photo.extent.width} * photo.extent.height * 3);
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file || kind != "P6" || most != 255) {
        photo.error = "the photograph is no PPM picture of 8 bits a channel";
        return photo;
    }
    photo.pixels.reserve(bytes.size() / 3);
    for (size_t i = 0; i < bytes.size(); i += 3) {
        const auto channel = [&](size_t which) {
            return uint32_t{static_cast<unsigned char>(bytes[i + which])};
        };
        photo.pixels.push_back(channel(0) << 16U | channel(1) << 8U | channel(2));
    }
    return photo;
}

} // namespace

std::string missing_photographer() {
    // The supervisor's socket, streams and camera are the guest's; on the machine itself nobody
    // stands outside.
    const char* const driver = std::getenv("FENCEBRIDGE_DRIVER"); // NOLINT(concurrency-mt-unsafe)
    if (job().empty() || driver == nullptr || std::string(driver) == "host") {
        return "nobody outside this machine to photograph its display (not run in the guest)";
    }
    return "";
}

Photograph photograph(const std::string& device) {
    static int count = 0;
    const std::string name = "test-" + std::to_string(++count);
    const std::filesystem::path done = job() / ("done-shot-" + name);
    const std::filesystem::path picture = job() / ("shot-" + name + ".ppm");
    std::filesystem::remove(done);
    std::ofstream(job() / ("want-shot-" + name)) << device << '\n';
    const auto limit = std::chrono::steady_clock::now() + patience;
    while (!std::filesystem::exists(done)) {
        if (std::chrono::steady_clock::now() > limit) {
            return {.extent = {}, .pixels = {}, .error = "nobody took the photograph"};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    Photograph photo;
    photo.error = whole_text(done);
    if (photo.error.empty()) {
        photo = read_ppm(picture);
    }
    std::filesystem::remove(done);
    std::filesystem::remove(picture);
    return photo;
}

} // namespace fencebridge::test
