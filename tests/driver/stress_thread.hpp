// One thread of the driver's stress test: it draws operations and does them, each held against the
// model.
#pragma once

#include "driver/stress_recording.hpp"

#include <array>
#include <memory>
#include <vector>

namespace fencebridge::test {

class StressThread {
public:
    /// `seed` and `number` say what it draws.
    StressThread(StressWorld& world, uint64_t seed, size_t number);
    ~StressThread();
    StressThread(const StressThread&) = delete;
    StressThread& operator=(const StressThread&) = delete;

    /// Does its operations, and waits until its work is done.
    void run(uint64_t operations);

    static constexpr size_t recording_count = 6;

private:
    void do_one();
    void submit();
    VkResult call_driver(VkQueue queue, const std::vector<StressRecording*>& used,
                         const StressTimeline* wait, VkFence fence);
    void export_any();
    void reset_pool();
    /// Waits until its work is done, and looks at what that has left.
    void wait_for(StressRecording& recording);
    void make_pool();
    std::shared_ptr<StressBuffer> any_buffer();

    StressWorld& world_;
    const size_t number_;
    Draws draws_;
    const Buffer host_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    std::vector<std::unique_ptr<StressRecording>> recordings_;
    size_t next_ = 0;
};

} // namespace fencebridge::test
