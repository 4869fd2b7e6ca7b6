// A file of our own that the process writes to by writing to memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <sys/types.h>

namespace fencebridge {

/// Opened, then mapped, and from then on without a descriptor. Nothing that is not ours is ever
/// changed: a file that is there must be empty or begin with our magic, be a regular file, and the
/// user's own; symbolic links are not followed. One thread.
class MappedFile {
public:
    /// Opens it, or makes it (mode 0600). Where that fails `problem()` says why.
    explicit MappedFile(std::string path);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    /// Whether both have the same file.
    bool is_same(const MappedFile& other) const {
        return inode_ == other.inode_ && device_ == other.device_;
    }

    /// Takes the file for this process alone, gives it `size` bytes, all zero but the magic in
    /// front, and maps it. Every page is there then, on disk and in memory: a full disk is an error
    /// here, never a SIGBUS later. False with a problem(); what the file held is lost only where
    /// this succeeds, and a file that was made for it is removed.
    bool map(std::span<const char> magic, size_t size);

    std::span<std::byte> bytes() const { return bytes_; }
    const std::string& path() const { return path_; }
    const std::string& problem() const { return problem_; } ///< empty: none

private:
    bool open();
    void close();
    bool take(std::span<const char> magic);
    bool fail(const char* what);
    bool fail(const char* what, int error);

    std::string path_;
    std::string problem_;
    int fd_ = -1;
    bool is_made_ = false; ///< and to be removed again
    dev_t device_ = 0;
    ino_t inode_ = 0;
    std::span<std::byte> bytes_;
};

} // namespace fencebridge
