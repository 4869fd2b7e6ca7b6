#include "unit/submitter_test.hpp"

#include <sys/mman.h>

namespace fencebridge::test {

SubmitterTest::SubmitterTest(SourceKind source) {
    set_log_level(LogLevel::Off);
    device.handle = driver.device();
    device.instance = &instance;
    device.next = driver.table;
    device.shares_memory = true;
    device.source.kind = source;
    device.acquire.method = AcquireMethod::Import;
    device.capabilities.fences.fence_import = true;
    timelines.emplace(device.calls());
}

SubmitterTest::~SubmitterTest() {
    for (auto& queue : queues_) {
        if (queue) {
            queue->stop();
        }
    }
    for (auto& queue : queues_) {
        queue.reset();
    }
    for (const std::string& rule : driver.broken_rules) {
        ADD_FAILURE() << "a rule of Vulkan was broken: " << rule;
    }
    EXPECT_EQ(driver.live_objects(), 0U) << "semaphores or fences were left to the driver";
    set_log_level(LogLevel::Info);
}

SharedMemoryRef SubmitterTest::memory_on(int fd) {
    return std::make_shared<SharedMemory>(device, VkDeviceMemory{}, DmaBuf::of(fd));
}

SharedMemoryRef SubmitterTest::memory() {
    const UniqueFd file(::memfd_create("buffer", MFD_CLOEXEC));
    return memory_on(file.get());
}

VkCommandBuffer SubmitterTest::command_buffer_with(const SharedMemoryRef& memory,
                                                   Direction direction, Access access) {
    const uintptr_t number = 0x100 + command_buffers_.size();
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    const auto command_buffer = reinterpret_cast<VkCommandBuffer>(number * 16);
    command_buffers_.push_back(command_buffer);
    if (memory) {
        recordings.add(command_buffer, {memory, direction, access});
    }
    return command_buffer;
}

VkSubmitInfo SubmitterTest::batch_with(const SharedMemoryRef& memory, Direction direction,
                                       Access access) {
    (void)command_buffer_with(memory, direction, access);
    return {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .commandBufferCount = 1,
        .pCommandBuffers = &command_buffers_.back(),
    };
}

QueueSubmitter& SubmitterTest::queue(size_t index) {
    auto& submitter = queues_.at(index);
    if (!submitter) {
        submitter =
            std::make_unique<QueueSubmitter>(device, driver.queue(index), memories, recordings,
                                             *timelines, exportable_fences, nullptr);
    }
    return *submitter;
}

} // namespace fencebridge::test
