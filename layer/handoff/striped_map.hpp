// A hash map whose misses are nearly free: for what few of an application's objects have.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace fencebridge {

/// Split into stripes with a lock each; a lookup in an empty map or an empty stripe takes no lock.
/// That is sound because Vulkan orders the calls on one key (external synchronisation): only a
/// thread that the application has ordered behind the insertion may look the key up.
template<typename Key, typename Value>
class StripedMap {
public:
    void insert(Key key, Value value) {
        Stripe& stripe = stripe_of(key);
        const std::lock_guard guard(stripe.mutex);
        const auto [where, is_new] = stripe.map.insert_or_assign(key, std::move(value));
        (void)where;
        if (is_new) {
            add(stripe, 1);
        }
    }

    /// Calls `change` on the key's value, made first where there is none.
    template<typename Change>
    void update(Key key, Change&& change) {
        Stripe& stripe = stripe_of(key);
        const std::lock_guard guard(stripe.mutex);
        const auto [where, is_new] = stripe.map.try_emplace(key);
        if (is_new) {
            add(stripe, 1);
        }
        std::forward<Change>(change)(where->second);
    }

    /// A copy of what the key has.
    std::optional<Value> find(Key key) const {
        const Stripe& stripe = stripe_of(key);
        if (is_empty(stripe)) {
            return std::nullopt;
        }
        const std::lock_guard guard(stripe.mutex);
        const auto found = stripe.map.find(key);
        return found == stripe.map.end() ? std::nullopt : std::optional(found->second);
    }

    /// Calls `look` on what the key has, under the stripe's lock. False where it has nothing.
    template<typename Look>
    bool visit(Key key, Look&& look) const {
        const Stripe& stripe = stripe_of(key);
        if (is_empty(stripe)) {
            return false;
        }
        const std::lock_guard guard(stripe.mutex);
        const auto found = stripe.map.find(key);
        if (found == stripe.map.end()) {
            return false;
        }
        std::forward<Look>(look)(found->second);
        return true;
    }

    /// Removes the key; its value is destroyed outside the lock.
    void erase(Key key) {
        Stripe& stripe = stripe_of(key);
        if (is_empty(stripe)) {
            return;
        }
        typename std::unordered_map<Key, Value>::node_type removed;
        const std::lock_guard guard(stripe.mutex);
        removed = stripe.map.extract(key);
        if (!removed.empty()) {
            add(stripe, -1);
        }
    }

    /// Calls `look` on every value, under its stripe's lock.
    template<typename Look>
    void each(Look&& look) const {
        for (const Stripe& stripe : stripes_) {
            if (is_empty(stripe)) {
                continue;
            }
            const std::lock_guard guard(stripe.mutex);
            for (const auto& [key, value] : stripe.map) {
                look(value);
            }
        }
    }

    /// Calls `change` on every value, under its stripe's lock.
    template<typename Change>
    void update_each(Change&& change) {
        for (Stripe& stripe : stripes_) {
            if (is_empty(stripe)) {
                continue;
            }
            const std::lock_guard guard(stripe.mutex);
            for (auto& [key, value] : stripe.map) {
                change(value);
            }
        }
    }

    size_t size() const { return total_.load(std::memory_order_acquire); }

private:
    struct alignas(64) Stripe {
        std::atomic<size_t> size = 0;
        mutable std::mutex mutex;
        std::unordered_map<Key, Value> map;
    };
    static constexpr size_t stripe_count = 64;

    void add(Stripe& stripe, int by) {
        stripe.size.fetch_add(static_cast<size_t>(by), std::memory_order_release);
        total_.fetch_add(static_cast<size_t>(by), std::memory_order_release);
    }
    bool is_empty(const Stripe& stripe) const {
        return total_.load(std::memory_order_acquire) == 0 ||
               stripe.size.load(std::memory_order_acquire) == 0;
    }
    static size_t index(Key key) {
        // Handles are pointers or packed numbers: mix before taking the low bits.
        const uint64_t mixed = static_cast<uint64_t>(std::hash<Key>{}(key)) * 0x9e3779b97f4a7c15ULL;
        return static_cast<size_t>(mixed >> 58);
    }
    Stripe& stripe_of(Key key) { return stripes_[index(key)]; }
    const Stripe& stripe_of(Key key) const { return stripes_[index(key)]; }

    std::atomic<size_t> total_ = 0;
    std::array<Stripe, stripe_count> stripes_;
};

} // namespace fencebridge
