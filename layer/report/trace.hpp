// The trace: each hand-off leaves a record in a file that outlives the process, however it ends.
#pragma once

#include "report/mapped_file.hpp"
#include "report/trace_format.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <sys/types.h>

namespace fencebridge {

/// A page that is one in the process that made it and zero in its children.
class ForkMark {
public:
    ForkMark();
    ~ForkMark();
    ForkMark(const ForkMark&) = delete;
    ForkMark& operator=(const ForkMark&) = delete;

    /// Whether the kernel has given us such a page (MADV_WIPEONFORK, since Linux 4.14).
    explicit operator bool() const { return page_ != nullptr; }
    bool is_here() const { return *page_ != 0; }

private:
    volatile uint32_t* page_ = nullptr;
};

/// A ring of records in a mapped file. Thread-safe; a record costs neither lock nor system call nor
/// allocation. What was written is in the kernel's hands: a process that dies loses nothing.
///
/// fork(): the child has the mapping too, and would write into the parent's ring under the parent's
/// name and thread ids. The mapping cannot be left out of the child (MADV_DONTFORK): its first
/// hand-off would end it by SIGSEGV. So a write looks at a page that is zero in children, and
/// leaves it at that. A child that makes a device of its own gets a trace of its own, where the
/// path has a %p in it: its parent's file is locked.
class Trace {
public:
    /// A trace in `path`. Null with a `problem` in words where that cannot be.
    static std::unique_ptr<Trace> make(const std::string& path, std::string& problem,
                                       size_t capacity = trace_capacity);
    /// The same in a file that is open already.
    static std::unique_ptr<Trace> make(std::unique_ptr<MappedFile> file, std::string& problem,
                                       size_t capacity = trace_capacity);

    /// A row of the table; trace_no_device where it is full.
    uint16_t add_device(const char* name) noexcept;
    /// The device's next queue. Queues of devices without a row are all the first.
    uint16_t add_queue(uint16_t device) noexcept;

    /// Never 0.
    uint32_t new_parked_id() noexcept;

    /// Fills in thread and sequence.
    void write(TraceRecord record) noexcept;

    /// CLOCK_MONOTONIC.
    static uint64_t now() noexcept;

    const MappedFile& file() const { return *file_; }
    /// False in a child of the process that made it.
    bool is_of_this_process() const { return mark_.is_here(); }

private:
    explicit Trace(std::unique_ptr<MappedFile> file) : file_(std::move(file)) {}
    void begin(size_t capacity);

    const std::unique_ptr<MappedFile> file_;
    const ForkMark mark_;
    TraceHeader* header_ = nullptr;
    std::span<uint64_t> ring_;
    size_t mask_ = 0;
    uint32_t process_ = 0;
};

/// The process's trace for the setting `trace` (not empty): a file's path, in which %p stands for
/// the process id. One for each file, however many devices and instances name it; it lives as long
/// as the process, for what one device left must not go when the next one comes. Null where there
/// can be none; the log says why, once for each setting. Any thread.
Trace* trace_for(const std::string& setting) noexcept;

} // namespace fencebridge
