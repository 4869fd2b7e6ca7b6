// A driver that lacks an extension, made of one that has it, for processes of the test's choice.
#pragma once

#include "support/child_process.hpp"
#include "support/temporary_folder.hpp"

#include <filesystem>

namespace fencebridge::test {

/// A manifest, written into `folder`, of the driver in the manifest `of` without
/// VK_EXT_headless_surface, and the variables that this driver needs. The loader is given it by
/// VK_DRIVER_FILES.
struct DriverWithoutHeadless {
    std::filesystem::path manifest;
    Environment environment;
};
DriverWithoutHeadless without_headless(const std::filesystem::path& of,
                                       const TemporaryFolder& folder);

} // namespace fencebridge::test
