// One command buffer of the driver's stress test, and what its work leaves behind for the CPU to
// see.
#pragma once

#include "driver/stress_world.hpp"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace fencebridge::test {

/// One vkQueueSubmit, as far as its fences go.
class StressSubmit {
public:
    explicit StressSubmit(TimelinePoints behind) : state(std::move(behind)) {}

    SubmitState state;

    /// Whether its fence has signalled, for sure. `dma_buf`: one that it released. A snapshot of
    /// that one's fences, taken when its own had to be among them, is what tells.
    bool has_signalled(int dma_buf);

private:
    std::mutex mutex_;
    std::optional<Fd> fences_;
    bool signalled_ = false;
};

/// The fence of one submit on one of the buffers that it releases. When it has signalled, the work
/// must be done: then its number stands in a word that the work itself has written.
class StressRelease final : public ModelFence {
public:
    StressRelease(Differences& found, std::shared_ptr<StressSubmit> submit,
                  const StressBuffer& buffer, const uint32_t* word, uint32_t number);

    Knowledge is_attached() override { return submit_->state.is_attached(); }
    bool may_be_pending() override;
    bool is_pending() override;

private:
    Differences& differences_;
    const std::shared_ptr<StressSubmit> submit_;
    // Not more: the buffer's model owns this.
    const size_t buffer_number_;
    const int dma_buf_;
    const uint32_t* const word_;
    const uint32_t number_;
};

/// A command buffer that acquires, reads, writes and releases some buffers, whatever was drawn. One
/// thread; it may be recorded or submitted again when is_idle.
class StressRecording {
public:
    /// `index`: among all of the test. `host`: memory that CPU and GPU see, with words of its own.
    StressRecording(StressWorld& world, VkCommandPool pool, size_t index, const Buffer& host,
                    size_t host_word);
    static constexpr size_t most_buffers = 4;
    static constexpr size_t host_words = 2 + most_buffers * peer_words;

    bool is_recorded = false;
    bool is_idle = true;
    Fence fence;
    // Of the last submit:
    std::shared_ptr<StressSubmit> submit;
    size_t queue = 0;
    const Fence* fence_in_submit = nullptr; ///< the application's, of one of its command buffers

    VkCommandBuffer handle() const { return commands_->handle; }

    /// Commands of either generation, drawn.
    void record(Draws& draws);
    /// Its pool is about to be destroyed; this is the new one.
    void renew(VkCommandPool pool);

    /// It will be submitted in the call that begins: notes which peers it has to wait for, and that
    /// its fences are about to come.
    void begin(std::shared_ptr<StressSubmit> in);
    /// Looks at what it has released.
    void check_released() const;
    /// Its work is done: holds what it wrote, and what it saw of the peers, against the model.
    void finish();

private:
    struct HandOff {
        std::shared_ptr<StressBuffer> buffer;
        std::shared_ptr<SharedBuffer> memory;
        std::optional<Usage> acquires;
        std::optional<Usage> releases;
    };
    /// A peer whose number the work must have seen.
    struct Required {
        size_t hand_off;
        uint32_t ordinal;
    };

    void record_work(Draws& draws);

    StressWorld& world_;
    VkCommandPool pool_;
    const size_t index_;
    const Buffer& host_;
    const size_t host_word_;
    std::unique_ptr<CommandBuffer> commands_;
    std::vector<HandOff> hand_offs_;
    std::vector<Required> required_;
    uint32_t number_ = 0; ///< of its last submit
};

} // namespace fencebridge::test
