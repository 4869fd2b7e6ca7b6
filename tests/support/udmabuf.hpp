// udmabuf: a dma-buf made of ordinary memory, as software drivers export them.
#pragma once

#include "support/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fencebridge::test {

/// Empty where this machine has udmabuf; else the reason for a skip.
std::string missing_udmabuf();

/// One dma-buf, mapped for the CPU. Throws std::system_error where the kernel refuses.
class Udmabuf {
public:
    explicit Udmabuf(size_t pages = 1);
    ~Udmabuf();
    Udmabuf(const Udmabuf&) = delete;
    Udmabuf& operator=(const Udmabuf&) = delete;

    int dma_buf() const { return dma_buf_.get(); }
    std::span<uint32_t> words() const { return words_; }

private:
    Fd dma_buf_;
    std::span<uint32_t> words_;
};

} // namespace fencebridge::test
