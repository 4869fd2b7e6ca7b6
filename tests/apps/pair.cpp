#include "apps/pair.hpp"

#include "apps/child.hpp"
#include "apps/frames.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>

namespace fencebridge::test {

std::optional<PairResult> run_pair(const PairOptions& options) {
    std::string folder_template =
        std::filesystem::temp_directory_path() / "fencebridge-pair-XXXXXX";
    if (::mkdtemp(folder_template.data()) == nullptr) {
        std::perror("mkdtemp");
        return std::nullopt;
    }
    const std::filesystem::path folder = folder_template;
    std::array<int, 2> sockets{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
        std::perror("socketpair");
        return std::nullopt;
    }
    const std::string socket = std::to_string(Child::child_socket);
    const Child consumer({program("apps/fencebridge-consumer"), socket, folder / "picture"},
                         environment_for(false), sockets[1], folder / "consumer", {});
    const Child producer({program("apps/fencebridge-producer"), socket,
                          std::to_string(options.frames), std::to_string(options.work_ms)},
                         environment_for(options.bridged, options.environment), sockets[0],
                         folder / "producer", folder / "log");
    ::close(sockets[0]);
    ::close(sockets[1]);
    const bool produced = producer.wait();
    const bool consumed = consumer.wait();
    PairResult result;
    result.log = slurp(folder / "log");
    const auto seen = nlohmann::json::parse(slurp(folder / "consumer"), nullptr, false);
    const auto made = nlohmann::json::parse(slurp(folder / "producer"), nullptr, false);
    const std::string pixels = slurp(folder / "picture");
    std::filesystem::remove_all(folder);
    if (!produced || !consumed || seen.is_discarded() || made.is_discarded()) {
        std::fprintf(stderr, "%s failed; the producer said:\n%s\n",
                     !produced ? "the producer" : "the consumer", result.log.c_str());
        return std::nullopt;
    }
    result.device = made.at("device");
    result.frames = seen.at("frames");
    result.stale = seen.at("stale");
    result.pending = seen.at("pending");
    result.timeouts = seen.at("timeouts");
    result.strip = seen.at("strip").get<std::vector<uint8_t>>();
    result.submit_blocked_us = made.at("submit_blocked_us");
    result.submit_blocked_max_us = made.at("submit_blocked_max_us");
    result.frames_per_second = made.at("frames_per_second");
    result.picture.resize(size_t{frame_width} * frame_height);
    std::memcpy(result.picture.data(), pixels.data(),
                std::min(pixels.size(), result.picture.size() * sizeof(uint32_t)));
    return result;
}

} // namespace fencebridge::test
