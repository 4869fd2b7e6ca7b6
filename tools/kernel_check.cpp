#include "kernel_check.hpp"

#include <drm/drm.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace fencebridge {

namespace {

constexpr size_t page = 4096;

UniqueFd make_udmabuf() {
    const UniqueFd node(::open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
    const UniqueFd memory(::memfd_create("fencebridge", MFD_ALLOW_SEALING | MFD_CLOEXEC));
    if (!node || !memory || ::ftruncate(memory.get(), page) != 0 ||
        ::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) {
        return {};
    }
    udmabuf_create request{};
    request.memfd = static_cast<uint32_t>(memory.get());
    request.flags = UDMABUF_FLAGS_CLOEXEC;
    request.size = page;
    return UniqueFd(::ioctl(node.get(), UDMABUF_CREATE, &request));
}

UniqueFd make_heap_buffer() {
    const UniqueFd node(::open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC));
    dma_heap_allocation_data request{};
    request.len = page;
    request.fd_flags = O_RDWR | O_CLOEXEC;
    if (!node || ::ioctl(node.get(), DMA_HEAP_IOCTL_ALLOC, &request) != 0) {
        return {};
    }
    return UniqueFd(static_cast<int>(request.fd));
}

bool is_vgem(const std::filesystem::path& node) {
    const UniqueFd fd(::open(node.c_str(), O_RDWR | O_CLOEXEC));
    std::array<char, 16> name{};
    drm_version version{};
    version.name = name.data();
    version.name_len = name.size() - 1;
    return fd && ::ioctl(fd.get(), DRM_IOCTL_VERSION, &version) == 0 &&
           std::strcmp(name.data(), "vgem") == 0;
}

bool find_vgem() {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/dri", error)) {
        if (entry.is_character_file() && is_vgem(entry.path())) {
            return true;
        }
    }
    return false;
}

} // namespace

KernelCheck check_kernel() {
    KernelCheck check;
    utsname system{};
    if (::uname(&system) == 0) {
        check.release = static_cast<const char*>(system.release);
    }
    check.has_vgem = find_vgem();
    check.tried_on = "udmabuf";
    UniqueFd buffer = make_udmabuf();
    if (!buffer) {
        check.tried_on = "dma_heap/system";
        buffer = make_heap_buffer();
    }
    if (!buffer) {
        check.tried_on = "no udmabuf and no dma_heap here to make a dma-buf with";
        return check;
    }
    if (const auto dma_buf = DmaBuf::of(buffer.get())) {
        check.support = dma_buf->probe();
    }
    return check;
}

} // namespace fencebridge
