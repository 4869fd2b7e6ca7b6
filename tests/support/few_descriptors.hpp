// A process that has run out of file descriptors.
#pragma once

namespace fencebridge::test {

/// While it lives, every call that makes a descriptor fails with EMFILE. Throws std::system_error.
class NoMoreDescriptors {
public:
    NoMoreDescriptors();
    ~NoMoreDescriptors();
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

private:
    unsigned long previous_;
};

/// How many descriptors this process has open.
unsigned long open_descriptors();

} // namespace fencebridge::test
