#include "support/lesser_machine.hpp"

#include <drm/drm.h>
#include <linux/dma-buf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace fencebridge::test {

namespace {

/// Answers the ioctls with these numbers with `error` (0: success), without the kernel's doing
/// anything.
std::string answer(uint32_t one, uint32_t other, uint32_t error) {
    constexpr auto number = static_cast<uint32_t>(offsetof(seccomp_data, nr));
    constexpr auto request = static_cast<uint32_t>(offsetof(seccomp_data, args[1]));
    std::array filter{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, request),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, one, 2, 0),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 1, 0),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
    };
    const sock_fprog program{.len = filter.size(), .filter = filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
        return std::string("seccomp: ") + std::generic_category().message(errno);
    }
    return "";
}

} // namespace

std::string without_sync_file_ioctls() {
    return answer(DMA_BUF_IOCTL_EXPORT_SYNC_FILE, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, ENOTTY);
}

std::string without_attaching() {
    return answer(DMA_BUF_IOCTL_IMPORT_SYNC_FILE, DMA_BUF_IOCTL_IMPORT_SYNC_FILE, 0);
}

std::string without_vgem() {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return std::string("a mount namespace of our own: ") +
               std::generic_category().message(errno);
    }
    for (int minor = 0; minor < 64; ++minor) {
        const std::string path = "/dev/dri/card" + std::to_string(minor);
        const int node = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        if (node < 0) {
            continue;
        }
        std::array<char, 16> name{};
        drm_version version{};
        version.name = name.data();
        version.name_len = name.size() - 1;
        const bool is_vgem = ::ioctl(node, DRM_IOCTL_VERSION, &version) == 0 &&
                             std::strcmp(name.data(), "vgem") == 0;
        ::close(node);
        if (is_vgem && ::mount("/dev/null", path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            return path + ": " + std::generic_category().message(errno);
        }
    }
    return "";
}

} // namespace fencebridge::test
