// The registry of dma-bufs under threads. Any file will do for that: it is known by its inode.
#include "fence/dma_buf.hpp"
#include "support/fd.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace fencebridge::test {

TEST(DmaBufRegistry, ThreadsThatComeAndGoAgree) {
    std::array<Fd, 2> files;
    for (Fd& file : files) {
        file = Fd(::memfd_create("buffer", MFD_CLOEXEC));
    }
    std::atomic<int> mistakes = 0;
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (size_t i = 0; i < 1000; ++i) {
                const Fd& file = files.at((i + t) % files.size());
                const auto known = DmaBuf::of(file.get());
                const auto again = DmaBuf::of(file.get());
                mistakes += !known || known != again;
                // Its lock is everybody's.
                const std::lock_guard guard(known->lock);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(mistakes, 0);
    EXPECT_NE(DmaBuf::of(files[0].get()), DmaBuf::of(files[1].get()));
}

} // namespace fencebridge::test
