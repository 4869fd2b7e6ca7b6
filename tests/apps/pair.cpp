#include "apps/pair.hpp"

#include "apps/frames.hpp"
#include "support/temporary_folder.hpp"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>

namespace fencebridge::test {

std::optional<PairResult> run_pair(const PairOptions& options) {
    const TemporaryFolder folder;
    const std::string picture = folder.path() / "picture";
    const std::string socket = std::to_string(joint_socket);
    const auto [producer, consumer] = run_joined(
        {.argv = {program("apps/fencebridge-producer"), socket, std::to_string(options.frames),
                  std::to_string(options.work_ms), std::to_string(options.cpu_ms)},
         .environment = environment_for(options.bridged, options.environment)},
        {.argv = {program("apps/fencebridge-consumer"), socket, picture}, .environment = {}});
    const auto made = nlohmann::json::parse(producer.out, nullptr, false);
    const auto seen = nlohmann::json::parse(consumer.out, nullptr, false);
    if (producer.exit_status != 0 || consumer.exit_status != 0 || seen.is_discarded() ||
        made.is_discarded()) {
        std::fprintf(stderr, "the producer (%d) said:\n%s%s\nthe consumer (%d) said:\n%s\n",
                     producer.exit_status, producer.out.c_str(), producer.err.c_str(),
                     consumer.exit_status, consumer.err.c_str());
        return std::nullopt;
    }
    PairResult result;
    result.log = producer.err;
    result.device = made.at("device");
    result.frames = seen.at("frames");
    result.stale = seen.at("stale");
    result.pending = seen.at("pending");
    result.timeouts = seen.at("timeouts");
    result.strip = seen.at("strip").get<std::vector<uint8_t>>();
    result.submit_blocked_us = made.at("submit_blocked_us");
    result.submit_blocked_max_us = made.at("submit_blocked_max_us");
    result.latency_ms = seen.at("latency_ms");
    result.frames_per_second = made.at("frames_per_second");
    result.picture.resize(size_t{frame_width} * frame_height);
    std::ifstream(picture, std::ios::binary)
        .read(reinterpret_cast<char*>(result.picture.data()),
              static_cast<std::streamsize>(result.picture.size() * sizeof(uint32_t)));
    return result;
}

} // namespace fencebridge::test
