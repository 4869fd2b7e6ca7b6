// An owned file descriptor.
#pragma once

#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace fencebridge {

/// Owns one file descriptor and closes it. -1 is "none". Not thread-safe, as any value type.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset(std::exchange(other.fd_, -1));
        }
        return *this;
    }
    UniqueFd(const UniqueFd&) = delete;
    UniqueFd& operator=(const UniqueFd&) = delete;
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

    /// Gives the descriptor away: the caller owns it now.
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }

    void reset(int fd = -1) {
        if (fd_ >= 0) {
            // Linux frees the descriptor even where close() reports EINTR: never retry.
            (void)::close(fd_);
        }
        fd_ = fd;
    }

    /// A private CLOEXEC duplicate of somebody's descriptor; none, with errno set, on failure
    /// (EMFILE, EBADF).
    static UniqueFd duplicate(int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

private:
    int fd_ = -1;
};

} // namespace fencebridge
