// Hand-offs as a program makes them by hand: just the calls that the driver and the kernel need.
#pragma once

#include "support/fd.hpp"
#include "support/vgem.hpp"
#include "support/vulkan_commands.hpp"

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <thread>

namespace fencebridge::test {

using Buffers = std::span<const std::unique_ptr<SharedBuffer>>;

/// By what a fence of the work is had.
enum class Source : uint8_t { Semaphore, Fence, Proxy, Wait };
std::string name(Source source); ///< as the setting `fence_source` has it

/// Submits work and puts its fence on buffers.
class ReleaseFloor {
public:
    virtual ~ReleaseFloor() = default;
    /// All of it: what the application does in place of a vkQueueSubmit that the layer bridges.
    virtual void submit(const CommandBuffer& commands, Buffers buffers) = 0;
};

/// Null where the driver does not have the source, or exports nothing but signalled fences by it.
/// `is_guarded`: with a fence of vgem's on the buffers from before the submit.
std::unique_ptr<ReleaseFloor> release_floor(Source source, bool is_guarded,
                                            const VulkanContext& context);

/// Takes the fences off buffers and makes the work wait for them.
class AcquireFloor {
public:
    explicit AcquireFloor(const VulkanContext& context);
    ~AcquireFloor();
    AcquireFloor(const AcquireFloor&) = delete;
    AcquireFloor& operator=(const AcquireFloor&) = delete;

    void submit(const CommandBuffer& commands, Buffers buffers);

private:
    const VulkanContext& context_;
    VkSemaphore semaphore_ = VK_NULL_HANDLE;
};

/// A peer at work on buffers: until it is destroyed, or for `time` at the most.
class PeerFence {
public:
    PeerFence(Buffers buffers, std::chrono::milliseconds time);
    ~PeerFence() { thread_.join(); }
    PeerFence(const PeerFence&) = delete;
    PeerFence& operator=(const PeerFence&) = delete;

private:
    VgemFence fence_;
    std::thread thread_;
};

} // namespace fencebridge::test
