// Handle -> state, read without a lock: for the few handles that every call starts from.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace fencebridge {

/// A table of borrowed pointers by handle or dispatch key. find() takes no lock and may run beside
/// insert() and erase() of other keys; the application's own rules order calls on one handle.
/// Nodes are never freed, only emptied and used again, for the same key or another: meant for
/// instances, devices and queues, of which a process has a handful at a time.
template<typename T>
class HandleTable {
public:
    T* find(const void* key) const {
        for (const Node* node = bucket(key).load(std::memory_order_acquire); node != nullptr;
             node = node->next) {
            if (node->key.load(std::memory_order_acquire) == key) {
                return node->value.load(std::memory_order_acquire);
            }
        }
        return nullptr;
    }

    /// Replaces what the key had. Throws std::bad_alloc.
    void insert(const void* key, T* value) {
        const std::lock_guard guard(mutex_);
        auto& head = bucket(key);
        Node* empty = nullptr;
        for (Node* node = head.load(std::memory_order_relaxed); node != nullptr;
             node = node->next) {
            if (node->key.load(std::memory_order_relaxed) == key) {
                node->value.store(value, std::memory_order_release);
                return;
            }
            empty = node->value.load(std::memory_order_relaxed) == nullptr ? node : empty;
        }
        if (empty != nullptr) {
            // Nobody looks for the old key, which is no handle any more, nor yet for the new one.
            empty->key.store(key, std::memory_order_release);
            empty->value.store(value, std::memory_order_release);
            return;
        }
        head.store(new Node{key, head.load(std::memory_order_relaxed), value},
                   std::memory_order_release);
    }

    /// Returns what the key had, or null.
    T* erase(const void* key) {
        const std::lock_guard guard(mutex_);
        for (Node* node = bucket(key).load(std::memory_order_relaxed); node != nullptr;
             node = node->next) {
            if (node->key.load(std::memory_order_relaxed) == key) {
                return node->value.exchange(nullptr, std::memory_order_acq_rel);
            }
        }
        return nullptr;
    }

private:
    struct Node {
        std::atomic<const void*> key;
        Node* const next;
        std::atomic<T*> value;
    };
    using Bucket = std::atomic<Node*>;
    static constexpr size_t bucket_count = 64;

    static size_t index(const void* key) {
        // Handles are heap pointers: the low four bits say nothing.
        const auto bits = reinterpret_cast<uintptr_t>(key);
        return ((bits >> 4) ^ (bits >> 12)) % bucket_count;
    }
    Bucket& bucket(const void* key) { return buckets_[index(key)]; }
    const Bucket& bucket(const void* key) const { return buckets_[index(key)]; }

    std::array<Bucket, bucket_count> buckets_{};
    std::mutex mutex_;
};

/// The loader's dispatch pointer: the first word of every dispatchable handle, the same for a
/// device and its command buffers. A queue may not have it yet when a layer above asks for it
/// early.
template<typename Handle>
const void* dispatch_key(Handle handle) {
    return *reinterpret_cast<const void* const*>(handle);
}

} // namespace fencebridge
