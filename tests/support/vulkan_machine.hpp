// What Vulkan has to offer on a machine of which nothing is known beforehand.
#pragma once

#include <string>

namespace fencebridge::test {

/// Empty where the first Vulkan device, the one that tests use, is a GPU; else the reason for a
/// skip.
std::string missing_gpu();

/// Empty where it exports dma-bufs; else the reason for a skip.
std::string missing_dma_bufs();

} // namespace fencebridge::test
