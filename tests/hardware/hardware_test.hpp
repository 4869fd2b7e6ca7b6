// What the tests on real hardware share.
#pragma once

#include "hardware/cuda_memory.hpp"
#include "hardware/opaque_buffer.hpp"
#include "support/vulkan_context.hpp"
#include "support/vulkan_machine.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace fencebridge::test {

/// Asked for, not measured: LongWork counts a fill as 50 us at least, and a fast GPU needs a tenth
/// of that. What counts on the work's still running looks at its fence.
constexpr std::chrono::milliseconds long_work{1000};

constexpr uint32_t old_value = 0x11111111;
constexpr uint32_t new_value = 0x22222222;

/// More than any cache line or page of the GPU, and nothing beside its memory.
constexpr size_t shared_size = size_t{64} << 20;

/// A GPU buffer of CUDA's and its dma-buf.
class CudaTest : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string missing = missing_cuda(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
        device_ = std::make_unique<CudaDevice>(first_cuda_device());
        memory_ = std::make_unique<CudaMemory>(*device_, shared_size);
        dma_buf_ = memory_->dma_buf();
    }

    const CudaDevice& device() const { return *device_; }
    const CudaMemory& memory() const { return *memory_; }
    int dma_buf() const { return dma_buf_.get(); }

private:
    std::unique_ptr<CudaDevice> device_;
    std::unique_ptr<CudaMemory> memory_;
    Fd dma_buf_;
};

/// CUDA's device that is the Vulkan device, or -1.
inline cuda::Device cuda_device_of(const VulkanContext& context) {
    VkPhysicalDeviceIDProperties identity{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES,
    };
    VkPhysicalDeviceProperties2 properties{
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
        .pNext = &identity,
    };
    vkGetPhysicalDeviceProperties2(context.physical_device, &properties);
    return cuda_device_with(std::data(identity.deviceUUID));
}

/// One GPU buffer that Vulkan writes, CUDA reads, and the kernel knows as a dma-buf: the peer that
/// a bridge is for, on a driver whose Vulkan knows no dma-buf.
class SharedWithCudaTest : public testing::Test {
protected:
    /// Skips the test where the machine cannot; whoever calls it outside SetUp() has to look.
    void start(Layers layers) {
        for (const std::string& missing : {missing_gpu(), missing_cuda()}) {
            if (!missing.empty()) {
                GTEST_SKIP() << missing;
            }
        }
        context_ = std::make_unique<VulkanContext>(ContextOptions{.layers = layers});
        const cuda::Device same = cuda_device_of(*context_);
        if (same < 0) {
            GTEST_SKIP() << "the first Vulkan device, " << context_->device_name
                         << ", is no CUDA device";
        }
        device_ = std::make_unique<CudaDevice>(same);
        memory_ = std::make_unique<CudaMemory>(*device_, shared_size);
        dma_buf_ = memory_->dma_buf();
        buffer_ = std::make_unique<OpaqueBuffer>(*context_, *memory_);
        work_ = std::make_unique<LongWork>(*context_);
        memory_->fill(old_value);
        ASSERT_EQ(memory_->content(), old_value);
    }

    /// Records new content behind long work.
    void record_frame(CommandBuffer& commands) const {
        commands.begin();
        work_->record(commands, long_work);
        buffer_->record_write(commands, new_value);
        commands.end();
    }

    const VulkanContext& context() const { return *context_; }
    const CudaMemory& memory() const { return *memory_; }
    int dma_buf() const { return dma_buf_.get(); }

    /// Ends the device, and with it the layer's log.
    void stop() {
        work_.reset();
        buffer_.reset();
        context_.reset();
    }

private:
    std::unique_ptr<VulkanContext> context_;
    std::unique_ptr<CudaDevice> device_;
    std::unique_ptr<CudaMemory> memory_;
    Fd dma_buf_;
    std::unique_ptr<OpaqueBuffer> buffer_;
    std::unique_ptr<LongWork> work_;
};

/// What goes to stderr, the layer's log among it, while `run` runs.
template<typename Run>
std::string log_of(Run&& run) {
    testing::internal::CaptureStderr();
    try {
        run();
    } catch (...) {
        std::fputs(testing::internal::GetCapturedStderr().c_str(), stderr);
        throw;
    }
    return testing::internal::GetCapturedStderr();
}

} // namespace fencebridge::test
