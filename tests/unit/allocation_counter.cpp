#include "unit/allocation_counter.hpp"

#include <cstdint>
#include <cstdlib>
#include <new>

namespace fencebridge::test {

namespace {

thread_local size_t allocations = 0;
thread_local int pauses = 0;
thread_local size_t failing = SIZE_MAX; ///< the number of the allocation that fails

void* allocate(size_t size, size_t alignment) {
    if (pauses == 0) {
        if (allocations++ == failing) {
            throw std::bad_alloc();
        }
    }
    void* memory = nullptr;
    if (::posix_memalign(&memory, alignment, size) != 0) {
        throw std::bad_alloc();
    }
    return memory;
}

void* allocate_or_null(size_t size) noexcept {
    try {
        return allocate(size, alignof(std::max_align_t));
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

} // namespace

size_t allocation_count() {
    return allocations;
}

FailingAllocation::FailingAllocation(size_t after) {
    failing = allocations + after;
}
FailingAllocation::~FailingAllocation() {
    failing = SIZE_MAX;
}
bool FailingAllocation::has_failed() const {
    return allocations > failing;
}

AllocationPause::AllocationPause() {
    ++pauses;
}
AllocationPause::~AllocationPause() {
    --pauses;
}

} // namespace fencebridge::test

// All forms, though the standard library's would come to the first: a sanitizer's do not.
void* operator new(size_t size) {
    return fencebridge::test::allocate(size, alignof(std::max_align_t));
}
void* operator new[](size_t size) {
    return fencebridge::test::allocate(size, alignof(std::max_align_t));
}
void* operator new(size_t size, std::align_val_t alignment) {
    return fencebridge::test::allocate(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
    return fencebridge::test::allocate(size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
    return fencebridge::test::allocate_or_null(size);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
    return fencebridge::test::allocate_or_null(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    std::free(memory);
}
