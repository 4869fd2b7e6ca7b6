#include "report/trace.hpp"

#include "report/log.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <exception>
#include <mutex>
#include <set>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fencebridge {

namespace {

static_assert(std::atomic_ref<uint64_t>::is_always_lock_free &&
                  std::atomic_ref<uint32_t>::is_always_lock_free,
              "a lock would stay behind in the file");

/// More than one machine's smallest page does no harm: a mark needs four bytes.
size_t page_size() {
    return static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

uint64_t clock_ns(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

/// gettid() without the system call. `process`: this one's id; a child's only thread has its
/// parent's copy.
uint32_t thread_id(uint32_t process) {
    struct Known {
        uint32_t process;
        uint32_t thread;
    };
    static thread_local Known known{};
    if (known.process != process) {
        known = {process, static_cast<uint32_t>(::gettid())};
    }
    return known.thread;
}

std::string with_process_id(const std::string& setting) {
    std::string path = setting;
    const std::string process = std::to_string(::getpid());
    for (size_t at = path.find("%p"); at != std::string::npos;
         at = path.find("%p", at + process.size())) {
        path.replace(at, 2, process);
    }
    return path;
}

} // namespace

ForkMark::ForkMark() {
    void* const page =
        ::mmap(nullptr, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) { // NOLINT(performance-no-int-to-ptr): the macro's own cast
        return;
    }
    if (::madvise(page, page_size(), MADV_WIPEONFORK) != 0) {
        ::munmap(page, page_size());
        return;
    }
    page_ = static_cast<volatile uint32_t*>(page);
    *page_ = 1;
}

ForkMark::~ForkMark() {
    if (page_ != nullptr) {
        ::munmap(const_cast<uint32_t*>(page_), page_size());
    }
}

std::unique_ptr<Trace> Trace::make(const std::string& path, std::string& problem, size_t capacity) {
    return make(std::make_unique<MappedFile>(path), problem, capacity);
}

std::unique_ptr<Trace> Trace::make(std::unique_ptr<MappedFile> file, std::string& problem,
                                   size_t capacity) {
    std::unique_ptr<Trace> trace(new Trace(std::move(file)));
    if (!trace->mark_) {
        problem = "this kernel cannot tell a process from its children (MADV_WIPEONFORK)";
        return nullptr;
    }
    if (!trace->file_->map(trace_magic, static_cast<size_t>(trace_file_size(capacity)))) {
        problem = trace->file_->problem();
        return nullptr;
    }
    trace->begin(capacity);
    return trace;
}

void Trace::begin(size_t capacity) {
    const std::span<std::byte> bytes = file_->bytes();
    header_ = reinterpret_cast<TraceHeader*>(bytes.data());
    ring_ = std::span(reinterpret_cast<uint64_t*>(bytes.data() + trace_header_size),
                      capacity * std::tuple_size_v<TraceWords>);
    mask_ = capacity - 1;
    process_ = static_cast<uint32_t>(::getpid());
    header_->header_size = trace_header_size;
    header_->record_size = sizeof(TraceRecord);
    header_->process = process_;
    header_->capacity = capacity;
    header_->start_monotonic_ns = now();
    header_->start_realtime_ns = clock_ns(CLOCK_REALTIME);
    std::atomic_ref(header_->version).store(trace_version, std::memory_order_release);
}

uint64_t Trace::now() noexcept {
    return clock_ns(CLOCK_MONOTONIC);
}

uint16_t Trace::add_device(const char* name) noexcept {
    if (!is_of_this_process()) {
        return trace_no_device;
    }
    const uint32_t row = std::atomic_ref(header_->devices).fetch_add(1, std::memory_order_relaxed);
    if (row >= trace_devices) {
        return trace_no_device;
    }
    std::array<char, 120>& place = header_->device.at(row).name;
    std::memcpy(place.data(), name, std::min(std::strlen(name), place.size() - 1));
    return static_cast<uint16_t>(row);
}

uint16_t Trace::add_queue(uint16_t device) noexcept {
    if (device >= trace_devices || !is_of_this_process()) {
        return 0;
    }
    const uint32_t queue =
        std::atomic_ref(header_->device.at(device).queues).fetch_add(1, std::memory_order_relaxed);
    return static_cast<uint16_t>(std::min<uint32_t>(queue, trace_no_queue - 1));
}

uint32_t Trace::new_parked_id() noexcept {
    if (!is_of_this_process()) {
        return 1;
    }
    uint32_t id = 0;
    while (id == 0) {
        id = std::atomic_ref(header_->next_parked_id).fetch_add(1, std::memory_order_relaxed) + 1;
    }
    return id;
}

/// One writer a slot: who finds another in it, that began a whole ring ago and was put to sleep
/// there, drops its record instead of mixing the two. A reader trusts what has the same number
/// before and after; the stores of what lies between release, so that whoever sees one of them also
/// sees that the slot is being written.
void Trace::write(TraceRecord record) noexcept {
    if (!is_of_this_process()) {
        return;
    }
    record.thread = thread_id(process_);
    const uint64_t number = std::atomic_ref(header_->next).fetch_add(1, std::memory_order_relaxed);
    const auto words = std::bit_cast<TraceWords>(record);
    const auto slot =
        ring_.subspan((static_cast<size_t>(number) & mask_) * words.size(), words.size());
    const std::atomic_ref sequence(slot[0]);
    uint64_t seen = sequence.load(std::memory_order_relaxed);
    const bool is_free = seen % 2 == 0 && seen < trace_published(number);
    if (!is_free ||
        !sequence.compare_exchange_strong(seen, trace_writing(number), std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
        std::atomic_ref(header_->dropped).fetch_add(1, std::memory_order_relaxed);
        return;
    }
    for (size_t i = 1; i < words.size(); ++i) {
        std::atomic_ref(slot[i]).store(words.at(i), std::memory_order_release);
    }
    sequence.store(trace_published(number), std::memory_order_release);
}

Trace* trace_for(const std::string& setting) noexcept {
    struct Registry {
        std::mutex mutex;
        std::vector<std::unique_ptr<Trace>> traces;
        std::set<std::string> refused; ///< settings that were warned of
    };
    try {
        // Never destroyed: threads may be in Vulkan while the process exits.
        static auto* const registry = new Registry;
        const std::lock_guard guard(registry->mutex);
        auto file = std::make_unique<MappedFile>(with_process_id(setting));
        std::string problem = file->problem();
        if (problem.empty()) {
            for (const auto& trace : registry->traces) {
                if (trace->is_of_this_process() && trace->file().is_same(*file)) {
                    return trace.get();
                }
            }
            const std::string path = file->path();
            if (auto trace = Trace::make(std::move(file), problem)) {
                log(LogLevel::Info, "trace in %s", path.c_str());
                return registry->traces.emplace_back(std::move(trace)).get();
            }
        }
        if (registry->refused.insert(setting).second) {
            log(LogLevel::Warn, "no trace in %s: %s", with_process_id(setting).c_str(),
                problem.c_str());
        }
    } catch (const std::exception& exception) {
        log(LogLevel::Warn, "no trace: %s", exception.what());
    }
    return nullptr;
}

} // namespace fencebridge
