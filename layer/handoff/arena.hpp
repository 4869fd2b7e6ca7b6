// Memory for the copies that one submit needs, kept for the next.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace fencebridge {

/// A bump allocator of trivial types. reset() keeps its memory: once it is as large as the largest
/// submit, no submit allocates. Pointers are valid until reset(). Not thread-safe.
class Arena {
public:
    /// `count` value-initialised objects. Throws std::bad_alloc.
    template<typename T>
    T* make(size_t count) {
        static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= alignment);
        T* const first = reinterpret_cast<T*>(take(count * sizeof(T)));
        std::uninitialized_value_construct_n(first, count);
        return first;
    }

    /// A copy of `count` objects at `from`, with room for `extra` more behind them, zeroed.
    template<typename T>
    T* copy(const T* from, size_t count, size_t extra) {
        static_assert(std::is_trivially_copyable_v<T>);
        T* const first = make<T>(count + extra);
        std::copy_n(from, from == nullptr ? 0 : count, first);
        return first;
    }

    void reset() {
        used_ = 0;
        if (blocks_.size() > 1) {
            // One block as large as all of them: the next submit of this size needs one.
            size_t total = 0;
            for (const Block& block : blocks_) {
                total += block.size;
            }
            blocks_.clear();
            add_block(total);
        }
    }

private:
    static constexpr size_t alignment = 16;
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        size_t size;
    };

    std::byte* take(size_t bytes) {
        const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
        if (blocks_.empty() || blocks_.back().size - used_ < rounded) {
            add_block(std::max<size_t>(rounded, first_block));
            used_ = 0;
        }
        std::byte* const at = blocks_.back().memory.get() + used_;
        used_ += rounded;
        return at;
    }
    void add_block(size_t size) {
        blocks_.push_back({std::make_unique_for_overwrite<std::byte[]>(size), size});
    }

    static constexpr size_t first_block = 4096;
    std::vector<Block> blocks_;
    size_t used_ = 0;
};

} // namespace fencebridge
