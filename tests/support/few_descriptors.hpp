// How many file descriptors a process may have, and has.
#pragma once

#include <sys/resource.h>

namespace fencebridge::test {

/// While it lives, every call that makes a descriptor fails with EMFILE. Throws std::system_error.
class NoMoreDescriptors {
public:
    NoMoreDescriptors();
    ~NoMoreDescriptors();
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

private:
    rlim_t previous_;
};

/// As many as the machine lets this process have. Throws std::system_error.
void allow_many_descriptors();

/// How many descriptors this process has open.
unsigned long open_descriptors();

} // namespace fencebridge::test
