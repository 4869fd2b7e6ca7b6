#include "support/few_descriptors.hpp"

#include "support/fd.hpp"

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace fencebridge::test {

namespace {

rlimit current_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        throw std::system_error(errno, std::generic_category(), "getrlimit");
    }
    return limit;
}

void set(const rlimit& limit) {
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        throw std::system_error(errno, std::generic_category(), "setrlimit");
    }
}

} // namespace

NoMoreDescriptors::NoMoreDescriptors() {
    rlimit limit = current_limit();
    previous_ = limit.rlim_cur;
    // The limit is on the number, and the kernel hands out the lowest free one.
    limit.rlim_cur = static_cast<rlim_t>(Fd(::dup(STDERR_FILENO)).get());
    set(limit);
}

NoMoreDescriptors::~NoMoreDescriptors() {
    rlimit limit = current_limit();
    limit.rlim_cur = previous_;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

void allow_many_descriptors() {
    rlimit limit = current_limit();
    limit.rlim_cur = limit.rlim_max;
    set(limit);
}

unsigned long open_descriptors() {
    const auto entries = std::filesystem::directory_iterator("/proc/self/fd");
    return static_cast<unsigned long>(std::distance(begin(entries), end(entries)));
}

} // namespace fencebridge::test
