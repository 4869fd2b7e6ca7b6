// The dma-bufs of pictures that this process holds, whoever in it made them.
#pragma once

#include "support/fd.hpp"

#include <vector>

namespace fencebridge::test {

/// One descriptor of each, a duplicate: what the layer keeps to itself is seen by nobody else. The
/// layer's proxy fences are made on buffers of their own, which are none of these.
std::vector<Fd> own_dma_bufs();

} // namespace fencebridge::test
