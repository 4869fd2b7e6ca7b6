// The layers that a bench puts an application on: none, ours, and what people run beside it.
#pragma once

#include "support/vulkan_context.hpp"

#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {

struct LayerSet {
    std::string name;
    Layers layers = Layers::None;
    std::vector<std::pair<std::string, std::string>> environment; ///< what switches the others on
    std::string library; ///< part of the path of what must be loaded then; empty: nothing
};

/// No layer; the empty one (passing_layer.cpp); ours; and those of others: MangoHud, vkBasalt, the
/// Mesa overlay, and Khronos' validation with all checks off. Ours is the third.
std::vector<LayerSet> all_layer_sets();

/// The options of a context on them.
ContextOptions with_layers(const LayerSet& set, ContextOptions options);

/// Whether an application comes up on them, tried in a process of its own: layers of others may be
/// missing, and some end the process on a machine without a GPU. Where not, a skip is recorded.
bool works_here(const LayerSet& set);

} // namespace fencebridge::test
