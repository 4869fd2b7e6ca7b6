#include "driver/stress_recording.hpp"

#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"

#include <linux/dma-buf.h>
#include <vulkan/vulkan.h>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

namespace fencebridge::test {

namespace {

constexpr VkDeviceSize bytes_of(size_t words) {
    return words * sizeof(uint32_t);
}

VkAccessFlags access_of(Usage usage) {
    return usage == Usage::Write ? VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT
                                 : VK_ACCESS_TRANSFER_READ_BIT;
}

} // namespace

bool StressSubmit::has_signalled(int dma_buf) {
    const std::lock_guard guard(mutex_);
    if (signalled_) {
        return true;
    }
    if (!fences_) {
        if (state.is_attached() != Knowledge::Yes) {
            return false;
        }
        Exported exported = export_sync_file(dma_buf, DMA_BUF_SYNC_RW);
        if (exported.error != 0) {
            throw std::system_error(exported.error, std::generic_category(), "EXPORT_SYNC_FILE");
        }
        fences_ = std::move(exported.sync_file);
    }
    signalled_ = is_ready(fences_->get(), POLLIN);
    if (signalled_) {
        fences_.reset();
    }
    return signalled_;
}

StressRelease::StressRelease(Differences& found, std::shared_ptr<StressSubmit> submit,
                             const StressBuffer& buffer, const uint32_t* word, uint32_t number)
    : differences_(found), submit_(std::move(submit)), buffer_number_(buffer.number),
      dma_buf_(buffer.dma_buf()), word_(word), number_(number) {}

bool StressRelease::may_be_pending() {
    if (!submit_->has_signalled(dma_buf_)) {
        return true;
    }
    if (is_pending()) {
        differences_.add("buffer " + std::to_string(buffer_number_) +
                         ": all its fences have signalled, and its content is old: expected " +
                         std::to_string(number_) + ", seen " + std::to_string(word_at(word_)));
    }
    return false;
}

bool StressRelease::is_pending() {
    return word_at(word_) < number_;
}

StressRecording::StressRecording(StressWorld& world, VkCommandPool pool, size_t index,
                                 const Buffer& host, size_t host_word)
    : fence(world.context), world_(world), pool_(pool), index_(index), host_(host),
      host_word_(host_word) {}

void StressRecording::renew(VkCommandPool pool) {
    // Not freed: it goes with its pool.
    if (commands_) {
        commands_->handle = VK_NULL_HANDLE;
        commands_.reset();
    }
    pool_ = pool;
    is_recorded = false;
}

void StressRecording::record(Draws& draws) {
    const auto generation = draws.one_in(2) ? Commands::Vulkan10 : Commands::Synchronization2;
    if (!commands_ || draws.one_in(4)) {
        // A new one now and then: handles come again.
        commands_ = std::make_unique<CommandBuffer>(world_.context, generation,
                                                    VK_COMMAND_BUFFER_LEVEL_PRIMARY, pool_);
    }
    hand_offs_.clear();
    const size_t count = 1 + draws.below(most_buffers);
    for (size_t i = 0; i < count; ++i) {
        // One in three is of the first few: those meet several threads at once.
        const auto buffer = world_.buffer(draws.below(draws.one_in(3) ? 8 : shared_buffer_count));
        const bool is_known =
            std::any_of(hand_offs_.begin(), hand_offs_.end(),
                        [&](const HandOff& known) { return known.buffer == buffer; });
        if (is_known) {
            continue;
        }
        HandOff hand_off{buffer, buffer->memory(draws.one_in(2)), std::nullopt, std::nullopt};
        const size_t directions = draws.below(4);
        if (directions != 0) {
            hand_off.releases = draws.one_in(3) ? Usage::Read : Usage::Write;
        }
        if (directions != 1) {
            hand_off.acquires = draws.one_in(2) ? Usage::Read : Usage::Write;
        }
        hand_offs_.push_back(std::move(hand_off));
    }
    commands_->begin();
    record_work(draws);
    commands_->end();
    is_recorded = true;
}

void StressRecording::record_work(Draws& draws) {
    const uint32_t family =
        draws.one_in(2) ? VK_QUEUE_FAMILY_FOREIGN_EXT : VK_QUEUE_FAMILY_EXTERNAL;
    const VkCommandBuffer commands = commands_->handle;
    for (const HandOff& hand_off : hand_offs_) {
        if (hand_off.acquires) {
            commands_->acquire(*hand_off.memory, family, access_of(*hand_off.acquires));
        }
    }
    commands_->full_barrier();
    for (size_t i = 0; i < hand_offs_.size(); ++i) {
        if (hand_offs_[i].acquires) {
            const VkBufferCopy seen{.srcOffset = bytes_of(recording_words),
                                    .dstOffset = bytes_of(host_word_ + 2 + i * peer_words),
                                    .size = bytes_of(peer_words)};
            vkCmdCopyBuffer(commands, hand_offs_[i].memory->buffer, host_.buffer, 1, &seen);
        }
    }
    if (draws.one_in(4)) {
        world_.work.record(*commands_, std::chrono::milliseconds(1));
    }
    commands_->full_barrier();
    for (const HandOff& hand_off : hand_offs_) {
        if (hand_off.releases == Usage::Write) {
            const VkBufferCopy number{.srcOffset = bytes_of(host_word_),
                                      .dstOffset = bytes_of(index_),
                                      .size = bytes_of(1)};
            vkCmdCopyBuffer(commands, host_.buffer, hand_off.memory->buffer, 1, &number);
        }
    }
    const VkBufferCopy done{.srcOffset = bytes_of(host_word_),
                            .dstOffset = bytes_of(host_word_ + 1),
                            .size = bytes_of(1)};
    vkCmdCopyBuffer(commands, host_.buffer, host_.buffer, 1, &done);
    commands_->full_barrier();
    for (const HandOff& hand_off : hand_offs_) {
        if (hand_off.releases) {
            commands_->release(*hand_off.memory, family,
                               *hand_off.releases == Usage::Write ? VK_ACCESS_TRANSFER_WRITE_BIT
                                                                  : VK_ACCESS_TRANSFER_READ_BIT);
        }
    }
    const VkMemoryBarrier to_host{
        .sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
        .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
        .dstAccessMask = VK_ACCESS_HOST_READ_BIT,
    };
    vkCmdPipelineBarrier(commands, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                         0, 1, &to_host, 0, nullptr, 0, nullptr);
}

void StressRecording::begin(std::shared_ptr<StressSubmit> in) {
    is_idle = false;
    submit = std::move(in);
    host_.mapped[host_word_] = ++number_;
    required_.clear();
    for (size_t i = 0; i < hand_offs_.size(); ++i) {
        const HandOff& hand_off = hand_offs_[i];
        if (hand_off.acquires) {
            for (const ModelEntry& entry : hand_off.buffer->model.entries()) {
                const auto* const peer = dynamic_cast<const StressPeer*>(entry.fence.get());
                if (peer != nullptr && conflicts(*hand_off.acquires, entry.usage) &&
                    entry.fence->is_attached() == Knowledge::Yes) {
                    required_.push_back({i, peer->ordinal});
                }
            }
        }
    }
    for (const HandOff& hand_off : hand_offs_) {
        if (hand_off.releases) {
            // What was only read shows nothing; then the work's last word does.
            const uint32_t* const word = *hand_off.releases == Usage::Write
                                             ? hand_off.buffer->word(index_)
                                             : &host_.mapped[host_word_ + 1];
            hand_off.buffer->model.add(
                {.fence = std::make_shared<StressRelease>(world_.differences, submit,
                                                          *hand_off.buffer, word, number_),
                 .usage = *hand_off.releases});
        }
    }
}

void StressRecording::check_released() const {
    for (const HandOff& hand_off : hand_offs_) {
        if (hand_off.releases) {
            StressBuffer& buffer = *hand_off.buffer;
            check(world_.differences, buffer.model, buffer.number, buffer.dma_buf(), false);
        }
    }
}

void StressRecording::finish() {
    is_idle = true;
    const auto expect = [&](uint32_t expected, uint32_t seen, const HandOff* hand_off,
                            const char* what) {
        if (seen < expected) {
            world_.differences.add(
                (hand_off != nullptr ? "buffer " + std::to_string(hand_off->buffer->number) + ", "
                                     : std::string()) +
                what + ": expected " + std::to_string(expected) + ", seen " + std::to_string(seen));
        }
    };
    expect(number_, word_at(&host_.mapped[host_word_ + 1]), nullptr, "the work's last word");
    for (const HandOff& hand_off : hand_offs_) {
        if (hand_off.releases == Usage::Write) {
            expect(number_, word_at(hand_off.buffer->word(index_)), &hand_off, "what was written");
        }
    }
    for (const Required& peer : required_) {
        const size_t word = host_word_ + 2 + peer.hand_off * peer_words + peer.ordinal % peer_words;
        expect(peer.ordinal, word_at(&host_.mapped[word]), &hand_offs_[peer.hand_off],
               "a peer's number as the work saw it");
    }
}

} // namespace fencebridge::test
