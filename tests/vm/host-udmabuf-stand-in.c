// A stand-in for /dev/udmabuf, preloaded into QEMU on a machine whose kernel has none.
//
// virglrenderer asks the machine's kernel for dma-bufs of shared memory. Here UDMABUF_CREATE hands
// back a second descriptor of the memfd itself, which is all that virglrenderer and lavapipe do
// with it: map it. Only this host side is a stand-in. The dma-bufs, fences and ioctls that the
// tests look at belong to the guest's kernel and are real.
#define _GNU_SOURCE
#include <linux/dma-buf.h>
#include <linux/udmabuf.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int is_udmabuf(const char* path) {
    return path && strcmp(path, "/dev/udmabuf") == 0;
}

static int open_stand_in(void) {
    return memfd_create("udmabuf-stand-in", MFD_CLOEXEC);
}

static mode_t mode_argument(int flags, va_list arguments) {
    return (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(arguments, mode_t) : 0;
}

#define INTERPOSE_OPEN(name)                                                                       \
    int name(const char* path, int flags, ...) {                                                   \
        static int (*real)(const char*, int, ...);                                                 \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = mode_argument(flags, arguments);                                             \
        va_end(arguments);                                                                         \
        if (is_udmabuf(path))                                                                      \
            return open_stand_in();                                                                \
        if (!real)                                                                                 \
            *(void**)&real = dlsym(RTLD_NEXT, #name);                                              \
        return real(path, flags, mode);                                                            \
    }

#define INTERPOSE_OPENAT(name)                                                                     \
    int name(int folder, const char* path, int flags, ...) {                                       \
        static int (*real)(int, const char*, int, ...);                                            \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = mode_argument(flags, arguments);                                             \
        va_end(arguments);                                                                         \
        if (is_udmabuf(path))                                                                      \
            return open_stand_in();                                                                \
        if (!real)                                                                                 \
            *(void**)&real = dlsym(RTLD_NEXT, #name);                                              \
        return real(folder, path, flags, mode);                                                    \
    }

INTERPOSE_OPEN(open)
INTERPOSE_OPEN(open64)
INTERPOSE_OPENAT(openat)
INTERPOSE_OPENAT(openat64)

// What fortified callers use instead.
int __open_2(const char* path, int flags) {
    return open(path, flags);
}

int __open64_2(const char* path, int flags) {
    return open64(path, flags);
}

int ioctl(int fd, unsigned long request, ...) {
    static int (*real)(int, unsigned long, void*);
    va_list arguments;
    va_start(arguments, request);
    void* argument = va_arg(arguments, void*);
    va_end(arguments);
    if (!real)
        *(void**)&real = dlsym(RTLD_NEXT, "ioctl");

    if ((uint32_t)request == (uint32_t)UDMABUF_CREATE) {
        const struct udmabuf_create* create = argument;
        if (create->offset) {
            errno = EINVAL;
            return -1;
        }
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%u", create->memfd);
        return open(path, O_RDWR | O_CLOEXEC);
    }
    const int result = real(fd, request, argument);
    // Cache maintenance: a memfd needs none.
    if (result < 0 && errno == ENOTTY && (uint32_t)request == (uint32_t)DMA_BUF_IOCTL_SYNC)
        return 0;
    return result;
}
