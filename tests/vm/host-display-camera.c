// The camera in front of the guest's virtio display, preloaded into QEMU.
//
// QMP's screendump answers "no surface" for a display that QEMU shows by GL, which is every picture
// on virtio-gpu-gl. So this stands where QEMU copies the guest's picture to the window:
// egl_fb_blit(), called with the direction of the picture's rows, and returning with the picture's
// framebuffer still bound for reading. (The window itself is of no use: SDL's offscreen one keeps
// its first size.)
//
// The last picture lies in /tmp/virtio-display: a header, then rows from the top, 4 bytes a pixel,
// B G R X. photograph.py reads it. `serial` is odd while a picture is being written.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FRAME = 64 << 20 };

// GL's own numbers: its headers would be one more package for ten of them.
enum {
    GL_TEXTURE_2D_ = 0x0DE1,
    GL_TEXTURE_WIDTH_ = 0x1000,
    GL_TEXTURE_HEIGHT_ = 0x1001,
    GL_UNSIGNED_BYTE_ = 0x1401,
    GL_TEXTURE_BINDING_2D_ = 0x8069,
    GL_BGRA_ = 0x80E1,
    GL_READ_FRAMEBUFFER_ = 0x8CA8,
    GL_ATTACHMENT_NAME_ = 0x8CD1,
    GL_COLOR_ATTACHMENT0_ = 0x8CE0,
};

struct frame {
    _Atomic uint32_t serial;
    uint32_t width, height, reserved;
    uint8_t pixels[];
};

static void (*real_blit)(void*, void*, bool);
static void (*get_integer)(uint32_t, int*);
static void (*get_attachment)(uint32_t, uint32_t, uint32_t, int*);
static void (*bind_texture)(uint32_t, uint32_t);
static void (*get_level)(uint32_t, int, uint32_t, int*);
static void (*read_pixels)(int, int, int, int, uint32_t, uint32_t, void*);
static struct frame* frame;

// QEMU loads its display modules, and SDL with them, outside the scope that RTLD_NEXT looks in: the
// real function is found in the module that lies beside the caller's.
static void set_up_camera(const void* caller) {
    Dl_info module;
    char path[4096];
    if (!dladdr(caller, &module) || !strrchr(module.dli_fname, '/'))
        return;
    snprintf(path, sizeof path, "%.*s/ui-opengl.so",
             (int)(strrchr(module.dli_fname, '/') - module.dli_fname), module.dli_fname);
    void* opengl = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    void* sdl = dlopen("libSDL2-2.0.so.0", RTLD_LAZY | RTLD_NOLOAD);
    if (!opengl || !sdl)
        return;
    *(void**)&real_blit = dlsym(opengl, "egl_fb_blit");

    void* (*gl)(const char*);
    *(void**)&gl = dlsym(sdl, "SDL_GL_GetProcAddress");
    if (!gl)
        return;
    *(void**)&get_integer = gl("glGetIntegerv");
    *(void**)&get_attachment = gl("glGetFramebufferAttachmentParameteriv");
    *(void**)&bind_texture = gl("glBindTexture");
    *(void**)&get_level = gl("glGetTexLevelParameteriv");
    *(void**)&read_pixels = gl("glReadPixels");
    if (!get_integer || !get_attachment || !bind_texture || !get_level || !read_pixels)
        return;

    const int fd = open("/tmp/virtio-display", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    void* memory = ftruncate(fd, MAX_FRAME)
                       ? MAP_FAILED
                       : mmap(NULL, MAX_FRAME, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED)
        frame = memory;
}

static void take_picture(bool rows_go_down) {
    int texture = 0, previous = 0, width = 0, height = 0;
    get_attachment(GL_READ_FRAMEBUFFER_, GL_COLOR_ATTACHMENT0_, GL_ATTACHMENT_NAME_, &texture);
    get_integer(GL_TEXTURE_BINDING_2D_, &previous);
    bind_texture(GL_TEXTURE_2D_, (uint32_t)texture);
    get_level(GL_TEXTURE_2D_, 0, GL_TEXTURE_WIDTH_, &width);
    get_level(GL_TEXTURE_2D_, 0, GL_TEXTURE_HEIGHT_, &height);
    bind_texture(GL_TEXTURE_2D_, (uint32_t)previous);
    const size_t row = (size_t)width * 4;
    if (width <= 0 || height <= 0 || sizeof *frame + row * (size_t)height > MAX_FRAME)
        return;

    atomic_fetch_add(&frame->serial, 1);
    frame->width = (uint32_t)width;
    frame->height = (uint32_t)height;
    if (rows_go_down) {
        read_pixels(0, 0, width, height, GL_BGRA_, GL_UNSIGNED_BYTE_, frame->pixels);
    } else {
        for (int y = 0; y < height; y++)
            read_pixels(0, height - 1 - y, width, 1, GL_BGRA_, GL_UNSIGNED_BYTE_,
                        frame->pixels + row * (size_t)y);
    }
    atomic_fetch_add(&frame->serial, 1);
}

void egl_fb_blit(void* window, void* picture, bool flip) {
    static bool tried;
    if (!tried)
        set_up_camera(__builtin_return_address(0));
    tried = true;
    if (real_blit)
        real_blit(window, picture, flip);
    if (frame)
        take_picture(flip);
}
