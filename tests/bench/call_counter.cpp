#include "bench/call_counter.hpp"

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

namespace fencebridge::test {

namespace {

// Of the initial-exec model: the first access must not allocate, for it may come from malloc().
[[gnu::tls_model("initial-exec")]] thread_local CallCounts counts;

template<typename Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

} // namespace

CallCounts call_counts() {
    return counts;
}

} // namespace fencebridge::test

using fencebridge::test::counts;

// glibc's own names for its allocator, which dlsym() itself may call.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) noexcept {
    ++counts.allocations;
    return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) noexcept {
    ++counts.allocations;
    return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) noexcept {
    ++counts.allocations;
    return __libc_realloc(memory, size);
}
void* aligned_alloc(size_t alignment, size_t size) noexcept {
    ++counts.allocations;
    return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
    ++counts.allocations;
    *memory = __libc_memalign(alignment, size);
    return *memory != nullptr ? 0 : ENOMEM;
}

int ioctl(int fd, unsigned long request, ...) noexcept {
    static auto* const real = fencebridge::test::next<int(int, unsigned long, void*)>("ioctl");
    std::va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    ++counts.system_calls;
    return real(fd, request, argument);
}
int fcntl(int fd, int command, ...) {
    static auto* const real = fencebridge::test::next<int(int, int, intptr_t)>("fcntl");
    std::va_list arguments;
    va_start(arguments, command);
    const auto argument = va_arg(arguments, intptr_t);
    va_end(arguments);
    ++counts.system_calls;
    return real(fd, command, argument);
}
int poll(pollfd* fds, nfds_t count, int timeout) {
    static auto* const real = fencebridge::test::next<int(pollfd*, nfds_t, int)>("poll");
    ++counts.system_calls;
    return real(fds, count, timeout);
}
int close(int fd) {
    static auto* const real = fencebridge::test::next<int(int)>("close");
    ++counts.system_calls;
    return real(fd);
}
ssize_t read(int fd, void* target, size_t size) {
    static auto* const real = fencebridge::test::next<ssize_t(int, void*, size_t)>("read");
    ++counts.system_calls;
    return real(fd, target, size);
}
ssize_t write(int fd, const void* source, size_t size) {
    static auto* const real = fencebridge::test::next<ssize_t(int, const void*, size_t)>("write");
    ++counts.system_calls;
    return real(fd, source, size);
}
}
