// One vkQueueSubmit or vkQueueSubmit2 of the stress test.
#pragma once

#include "kernel/stress_world.hpp"

#include <vector>

namespace fencebridge::test {

struct StressCall {
    size_t queue;
    const std::vector<std::vector<VkCommandBuffer>>& batches;
    VkSemaphore wait;   ///< a timeline that the first batch waits for (its value 1), or null
    VkSemaphore signal; ///< one that the last batch signals, or null; not both
    VkFence fence;
    bool is_second_generation;
};

/// With the queue's lock held.
VkResult call_layer(StressWorld& world, const StressCall& call);

} // namespace fencebridge::test
