// The demo's picture: what the consumer saw, layer off beside layer on.
#pragma once

#include "apps/pair.hpp"

#include <filesystem>

namespace fencebridge::test {

/// Left half off, right half on: the worst frame of each, and under it one column a frame (or a few
/// frames), green where the pixels were this frame's, red up to the share of the picture that was
/// old. False, with a message on stderr, where the file cannot be written.
bool write_picture(const std::filesystem::path& path, const PairResult& off, const PairResult& on);

} // namespace fencebridge::test
