#include "support/udmabuf.hpp"

#include <linux/udmabuf.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <system_error>
#include <unistd.h>

namespace fencebridge::test {

namespace {

Fd open_udmabuf() {
    return Fd(::open("/dev/udmabuf", O_RDWR | O_CLOEXEC));
}

int must(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

} // namespace

std::string missing_udmabuf() {
    return open_udmabuf()
               ? ""
               : std::string("/dev/udmabuf (kernel module udmabuf): ") + std::strerror(errno);
}

Udmabuf::Udmabuf(size_t pages) {
    const size_t size = pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const Fd memory(must(::memfd_create("udmabuf", MFD_ALLOW_SEALING | MFD_CLOEXEC), "memfd"));
    must(::ftruncate(memory.get(), static_cast<off_t>(size)), "memfd: size");
    // The driver takes memory only that cannot shrink under it.
    must(::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK), "memfd: seal");
    const Fd device = open_udmabuf();
    must(device.get(), "/dev/udmabuf");
    udmabuf_create create{};
    create.memfd = static_cast<uint32_t>(memory.get());
    create.flags = UDMABUF_FLAGS_CLOEXEC;
    create.size = size;
    dma_buf_ = Fd(must(::ioctl(device.get(), UDMABUF_CREATE, &create), "UDMABUF_CREATE"));
    void* const mapped =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf_.get(), 0);
    if (mapped == MAP_FAILED) {
        throw std::system_error(errno, std::generic_category(), "udmabuf: mmap");
    }
    words_ = {static_cast<uint32_t*>(mapped), size / sizeof(uint32_t)};
}

Udmabuf::~Udmabuf() {
    (void)::munmap(words_.data(), words_.size_bytes());
}

} // namespace fencebridge::test
