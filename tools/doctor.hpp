// `fencebridge doctor`: what the layer would do on this machine, and why.
#pragma once

namespace fencebridge {

/// Prints its findings to stdout. 0 where at least one device can be bridged, 1 where none can, 2
/// where Vulkan itself does not work.
int run_doctor(bool as_json);

} // namespace fencebridge
