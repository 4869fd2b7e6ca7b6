#include "stress/fence_model.hpp"

#include "support/dma_buf_ioctls.hpp"
#include "support/readiness.hpp"
#include "support/sync_file_info.hpp"

#include <linux/dma-buf.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace fencebridge::test {

void BufferModel::add(ModelEntry entry) {
    const std::lock_guard guard(mutex_);
    entries_.push_back(std::move(entry));
    ++added_;
}

std::vector<ModelEntry> BufferModel::entries() {
    // What has signalled is destroyed without the lock: that may end a submit and all it holds.
    std::vector<ModelEntry> over;
    const std::lock_guard guard(mutex_);
    const auto first_over =
        std::stable_partition(entries_.begin(), entries_.end(), [](const ModelEntry& entry) {
            return entry.fence->may_be_pending();
        });
    std::move(first_over, entries_.end(), std::back_inserter(over));
    entries_.erase(first_over, entries_.end());
    return entries_;
}

uint64_t BufferModel::added() {
    const std::lock_guard guard(mutex_);
    return added_;
}

ModelLook::ModelLook(BufferModel& model, Usage access)
    : model_(model), access_(access), added_(model.added()) {
    for (ModelEntry& entry : model.entries()) {
        const Knowledge attached = entry.fence->is_attached();
        known_.push_back({std::move(entry), attached});
    }
}

Range ModelLook::finish() {
    Range range;
    for (const Known& known : known_) {
        const bool counts = conflicts(access_, known.entry.usage);
        if (counts && known.was_attached == Knowledge::Yes && known.entry.fence->is_pending()) {
            ++range.least;
        }
        // While its call runs, a release may have a guard beside its fence, one that stops readers.
        const bool is_entering = known.was_attached != Knowledge::Yes;
        if ((counts || is_entering) && known.entry.fence->is_attached() != Knowledge::No) {
            range.most += known.entry.most + (is_entering ? 1 : 0);
        }
    }
    // Each of these may stand there twice, and have a guard beside it.
    range.most += static_cast<size_t>(3 * (model_.added() - added_));
    return range;
}

namespace {

constexpr Range none{.least = 0, .most = 0};
constexpr Range some{.least = 1, .most = Range::any};

Range seen_by_export(int dma_buf, Usage access, bool counts) {
    const Exported exported =
        export_sync_file(dma_buf, access == Usage::Write ? DMA_BUF_SYNC_RW : DMA_BUF_SYNC_READ);
    if (exported.error != 0) {
        throw std::system_error(exported.error, std::generic_category(), "EXPORT_SYNC_FILE");
    }
    if (!counts) {
        return is_ready(exported.sync_file.get(), POLLIN) ? none : some;
    }
    const SyncFileInfo info = sync_file_info(exported.sync_file.get());
    return info.is_pending() ? Range{info.fence_count, info.fence_count} : none;
}

const char* label(Usage access, LookBy by) {
    if (by == LookBy::Poll) {
        return access == Usage::Write ? "poll(POLLOUT)" : "poll(POLLIN)";
    }
    return access == Usage::Write ? "EXPORT_SYNC_FILE(RW)" : "EXPORT_SYNC_FILE(READ)";
}

} // namespace

void check(Differences& differences, BufferModel& model, size_t number, int dma_buf, Usage access,
           LookBy by, bool counts) {
    ModelLook look(model, access);
    Range seen;
    if (by == LookBy::Poll) {
        seen = none;
        if (!is_ready(dma_buf, access == Usage::Write ? POLLOUT : POLLIN)) {
            // A dma-buf has one callback for all who poll it. From the moment a fence has signalled
            // until it has called back, whoever polls next is told "busy" (dma-buf.c,
            // dma_buf_poll(); some 3 times in 10,000 where one asks at once): an export knows.
            seen = seen_by_export(dma_buf, access, false);
        }
    } else {
        seen = seen_by_export(dma_buf, access, counts);
    }
    differences.expect(look.finish(), seen, number, label(access, by));
}

void check(Differences& differences, BufferModel& model, size_t number, int dma_buf, bool counts) {
    for (const Usage access : {Usage::Read, Usage::Write}) {
        for (const LookBy by : {LookBy::Poll, LookBy::Export}) {
            check(differences, model, number, dma_buf, access, by, counts);
        }
    }
}

} // namespace fencebridge::test
