// The ways in which a buffer changes hands, each of them one small program on a Scene.
#pragma once

#include "driver/driver_test.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fencebridge::test {

/// What a way works with: made anew for each, on a device that several share.
struct Scene {
    VulkanContext& context;
    const LongWork& work;
    /// Things that have to live until the GPU is done with them.
    std::vector<std::shared_ptr<void>> kept;

    template<typename T, typename... Arguments>
    T& keep(Arguments&&... arguments) {
        auto made = std::make_shared<T>(std::forward<Arguments>(arguments)...);
        kept.push_back(made);
        return *made;
    }
    SharedBuffer& shared(SharedBuffer::Kind kind = SharedBuffer::Kind::Buffer) {
        SharedBuffer& made = keep<SharedBuffer>(context, shared_extent, kind);
        made.fill_on_cpu(old_value);
        return made;
    }
    CommandBuffer& commands(Commands generation = Commands::Vulkan10,
                            VkCommandBufferLevel level = VK_COMMAND_BUFFER_LEVEL_PRIMARY) {
        return keep<CommandBuffer>(context, generation, level);
    }
    /// Destroys `handle` with the scene.
    template<typename Destroy>
    void at_end(Destroy&& destroy) {
        kept.emplace_back(nullptr, [destroy](void*) { destroy(); });
    }
};

using SettingList = std::vector<std::pair<std::string, std::string>>;

/// One way to hand a buffer out: writes new_value into it behind long work, submits that, and
/// returns the buffer (the scene's) for a peer to look at.
struct ReleaseWay {
    std::string name;
    std::function<SharedBuffer&(Scene&)> hand_out;
    SettingList settings;      ///< VK_FENCEBRIDGE_*
    bool device_group = false; ///< on a device that is made of a group
};

/// Those that transfer ownership, those that do so on a device group, and those that do not.
std::vector<ReleaseWay> transfer_ways();
std::vector<ReleaseWay> device_group_ways();
std::vector<ReleaseWay> touch_ways();

} // namespace fencebridge::test
