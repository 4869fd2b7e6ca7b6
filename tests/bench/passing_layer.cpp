// An empty layer: it stands in the way of the calls that the benches measure and passes each on,
// with nothing but one load between, which is the least that any layer can cost. It also counts the
// submits (one increment more), for the benches that ask how many reach the driver.
//
// It knows one driver: the functions of the last device made serve all of them.
#include "support/test_layer.hpp"

#include <cstdint>
#include <map>
#include <string_view>

namespace fencebridge::test {

namespace {

struct Next {
    PFN_vkQueueSubmit queue_submit = nullptr;
    PFN_vkQueueSubmit2 queue_submit_2 = nullptr;
    PFN_vkQueuePresentKHR queue_present = nullptr;
    PFN_vkCmdPipelineBarrier pipeline_barrier = nullptr;
    PFN_vkCmdPipelineBarrier2 pipeline_barrier_2 = nullptr;
    PFN_vkCmdDraw draw = nullptr;
    PFN_vkAllocateMemory allocate_memory = nullptr;
    PFN_vkCreateImage create_image = nullptr;
};
Next next;
uint64_t submits = 0;

VKAPI_ATTR VkResult VKAPI_CALL CreateDevice(VkPhysicalDevice physical_device,
                                            const VkDeviceCreateInfo* info,
                                            const VkAllocationCallbacks* allocator,
                                            VkDevice* device) {
    const VkResult result = create_below(physical_device, *info, *info, allocator, device);
    if (result != VK_SUCCESS) {
        return result;
    }
    const auto get = [&](auto& target, const char* name) {
        target = next_layer().of_device<std::remove_reference_t<decltype(target)>>(*device, name);
    };
    get(next.queue_submit, "vkQueueSubmit");
    get(next.queue_submit_2, "vkQueueSubmit2");
    get(next.queue_present, "vkQueuePresentKHR");
    get(next.pipeline_barrier, "vkCmdPipelineBarrier");
    get(next.pipeline_barrier_2, "vkCmdPipelineBarrier2");
    get(next.draw, "vkCmdDraw");
    get(next.allocate_memory, "vkAllocateMemory");
    get(next.create_image, "vkCreateImage");
    return result;
}

VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit(VkQueue queue, uint32_t count, const VkSubmitInfo* infos,
                                           VkFence fence) {
    ++submits;
    return next.queue_submit(queue, count, infos, fence);
}
VKAPI_ATTR VkResult VKAPI_CALL QueueSubmit2(VkQueue queue, uint32_t count,
                                            const VkSubmitInfo2* infos, VkFence fence) {
    ++submits;
    return next.queue_submit_2(queue, count, infos, fence);
}
VKAPI_ATTR VkResult VKAPI_CALL QueuePresentKHR(VkQueue queue, const VkPresentInfoKHR* info) {
    return next.queue_present(queue, info);
}
VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier(
    VkCommandBuffer commands, VkPipelineStageFlags from, VkPipelineStageFlags to,
    VkDependencyFlags flags, uint32_t memory_count, const VkMemoryBarrier* memory_barriers,
    uint32_t buffer_count, const VkBufferMemoryBarrier* buffer_barriers, uint32_t image_count,
    const VkImageMemoryBarrier* image_barriers) {
    next.pipeline_barrier(commands, from, to, flags, memory_count, memory_barriers, buffer_count,
                          buffer_barriers, image_count, image_barriers);
}
VKAPI_ATTR void VKAPI_CALL CmdPipelineBarrier2(VkCommandBuffer commands,
                                               const VkDependencyInfo* info) {
    next.pipeline_barrier_2(commands, info);
}
VKAPI_ATTR void VKAPI_CALL CmdDraw(VkCommandBuffer commands, uint32_t vertices, uint32_t instances,
                                   uint32_t first_vertex, uint32_t first_instance) {
    next.draw(commands, vertices, instances, first_vertex, first_instance);
}
VKAPI_ATTR VkResult VKAPI_CALL AllocateMemory(VkDevice device, const VkMemoryAllocateInfo* info,
                                              const VkAllocationCallbacks* allocator,
                                              VkDeviceMemory* memory) {
    return next.allocate_memory(device, info, allocator, memory);
}
VKAPI_ATTR VkResult VKAPI_CALL CreateImage(VkDevice device, const VkImageCreateInfo* info,
                                           const VkAllocationCallbacks* allocator, VkImage* image) {
    return next.create_image(device, info, allocator, image);
}

} // namespace

PFN_vkVoidFunction layer_function(std::string_view name) {
#define OURS(name_) {"vk" #name_, untyped(&name_)},
    static const std::map<std::string_view, PFN_vkVoidFunction> all = {
        OURS(CreateDevice) OURS(QueueSubmit) OURS(QueueSubmit2) OURS(QueuePresentKHR)
            OURS(CmdPipelineBarrier) OURS(CmdPipelineBarrier2) OURS(CmdDraw) OURS(AllocateMemory)
                OURS(CreateImage)};
#undef OURS
    const auto found = all.find(name);
    return found != all.end() ? found->second : nullptr;
}

} // namespace fencebridge::test

/// How many submits have passed so far.
extern "C" [[gnu::visibility("default")]] uint64_t fencebridge_passed_submits() {
    return fencebridge::test::submits;
}
