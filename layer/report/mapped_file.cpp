#include "report/mapped_file.hpp"

#include "report/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fencebridge {

namespace {

/// Every block of it, so that no page is left to be had later. 0, or the errno.
int allocate(int fd, size_t size) {
    // Where a limit forbids it the kernel would not only say so, but end the process by SIGXFSZ.
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < size) {
        return EFBIG;
    }
    int error = 0;
    do {
        error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
    } while (error == EINTR);
    return error;
}

/// A write fault on every page: later ones cost none, and a file system that has no room after all
/// says so here. 0, or the errno.
int populate(void* memory, size_t size) {
#ifdef MADV_POPULATE_WRITE
    if (::madvise(memory, size, MADV_POPULATE_WRITE) == 0) {
        return 0;
    }
    if (errno != EINVAL) {
        return errno;
    }
#endif
    return 0; // before Linux 5.14: the zeroes that the caller writes do it
}

} // namespace

MappedFile::MappedFile(std::string path) : path_(std::move(path)) {
    (void)open();
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) {
        ::munmap(bytes_.data(), bytes_.size());
    } else if (is_made_) {
        ::unlink(path_.c_str());
    }
    close();
}

void MappedFile::close() {
    if (fd_ >= 0) {
        (void)::close(std::exchange(fd_, -1));
    }
}

bool MappedFile::fail(const char* what) {
    problem_ = what;
    return false;
}

bool MappedFile::fail(const char* what, int error) {
    problem_ = std::string(what) + ": " + error_text(error);
    return false;
}

bool MappedFile::open() {
    // Not blocking: what lies there may be a pipe. Nothing else than a regular file is kept.
    constexpr int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    fd_ = ::open(path_.c_str(), flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    const bool is_new = fd_ >= 0;
    if (!is_new && errno == EEXIST) {
        fd_ = ::open(path_.c_str(), flags);
    }
    is_made_ = is_new;
    if (fd_ < 0) {
        return errno == ELOOP ? fail("it is a symbolic link") : fail("it cannot be opened", errno);
    }
    struct stat status{};
    if (::fstat(fd_, &status) != 0) {
        return fail("fstat", errno);
    }
    if (!S_ISREG(status.st_mode)) {
        return fail("it is no regular file");
    }
    // Who owns it could cut it short under our mapping. (Some file systems give all files one
    // owner.)
    if (!is_new && status.st_uid != ::geteuid()) {
        return fail("it belongs to somebody else");
    }
    device_ = status.st_dev;
    inode_ = status.st_ino;
    return true;
}

/// Locks it, and makes sure that it is ours to write to.
bool MappedFile::take(std::span<const char> magic) {
    // No second process maps the same file, or cuts it short under the first one's hands. The
    // kernel keeps such a lock as long as the opened file, which our mapping holds on to
    // (fs/locks.c: locks_remove_file): it needs no descriptor of the application's.
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        is_made_ = false; // between our making and our locking another took it
        return errno == EWOULDBLOCK ? fail("another process writes to it (%p in the name becomes "
                                           "the process id)")
                                    : fail("it cannot be locked", errno);
    }
    std::array<char, 16> start{};
    const ssize_t got = ::pread(fd_, start.data(), magic.size(), 0);
    if (got < 0) {
        return fail("it cannot be read", errno);
    }
    const bool is_ours = static_cast<size_t>(got) == magic.size() &&
                         std::equal(magic.begin(), magic.end(), start.begin());
    if (got != 0 && !is_ours) {
        return fail("it exists and is no trace: it is left alone");
    }
    return true;
}

bool MappedFile::map(std::span<const char> magic, size_t size) {
    if (!problem_.empty() || !take(magic)) {
        return false;
    }
    if (const int error = allocate(fd_, size)) {
        return fail("there is no room for it", error);
    }
    // From here on it is ours even if we die before the header is whole.
    if (::pwrite(fd_, magic.data(), magic.size(), 0) != static_cast<ssize_t>(magic.size()) ||
        ::ftruncate(fd_, static_cast<off_t>(size)) != 0) {
        return fail("it cannot be written to", errno);
    }
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory == MAP_FAILED) { // NOLINT(performance-no-int-to-ptr): the macro's own cast
        return fail("it cannot be mapped", errno);
    }
    if (const int error = populate(memory, size)) {
        ::munmap(memory, size);
        return fail("there is no room for it", error);
    }
    bytes_ = std::span(static_cast<std::byte*>(memory), size);
    close();
    std::memset(bytes_.data() + magic.size(), 0, size - magic.size());
    return true;
}

} // namespace fencebridge
