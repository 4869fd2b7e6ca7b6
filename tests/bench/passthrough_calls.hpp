// The calls whose cost a layer adds to, one by one, on one context.
#pragma once

#include "support/headless_swapchain.hpp"
#include "support/vulkan_commands.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fencebridge::test {

/// A context with all that the calls need, made before anything is measured.
class Caller {
public:
    /// `is_sharing`: the application shares memory, and has recorded a hand-off of it that it does
    /// not submit here. `resources`: how many images it has on that memory.
    Caller(std::unique_ptr<VulkanContext> context, bool is_sharing, uint32_t resources = 1);
    ~Caller();
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    struct Functions {
        PFN_vkQueueSubmit queue_submit;
        PFN_vkQueueSubmit2 queue_submit_2;
        PFN_vkQueuePresentKHR queue_present;
        PFN_vkCmdPipelineBarrier pipeline_barrier;
        PFN_vkCmdPipelineBarrier2 pipeline_barrier_2;
        PFN_vkCmdDraw draw;
        PFN_vkAllocateMemory allocate_memory;
        PFN_vkFreeMemory free_memory;
        PFN_vkCreateImage create_image;
        PFN_vkDestroyImage destroy_image;
    };
    Functions call; ///< as vkGetDeviceProcAddr gives them: no trampoline of the loader's

    /// Records so many into `scratch`: of memory, or of the shared buffer.
    void record_barriers(uint32_t count, bool of_shared) const;

    const std::unique_ptr<VulkanContext> context;
    CommandBuffer work;    ///< recorded, with nothing in it; may be pending many times
    CommandBuffer scratch; ///< for calls that record
    std::unique_ptr<HeadlessSwapchain> swapchain;

private:
    void share(uint32_t resources);

    VkDeviceMemory shared_ = VK_NULL_HANDLE;
    VkBuffer shared_buffer_ = VK_NULL_HANDLE;
    std::vector<VkBuffer> resources_;
    CommandBuffer hand_off_;
};

/// One of the calls. `run` makes it `count` times; the two around it are not measured.
struct MeasuredCall {
    std::string name;
    uint32_t count; ///< in one sample
    void (*before)(Caller&, uint32_t count);
    void (*run)(Caller&, uint32_t count);
    void (*after)(Caller&, uint32_t count);
};
const std::vector<MeasuredCall>& measured_calls();

/// One sample: nanoseconds a call.
double ns_of(const MeasuredCall& call, Caller& caller);

} // namespace fencebridge::test
