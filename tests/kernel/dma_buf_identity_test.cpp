// One DmaBuf object for one dma-buf, however many descriptors there are of it.
#include "fence/dma_buf.hpp"
#include "support/dma_buf_ioctls.hpp"
#include "support/few_descriptors.hpp"
#include "support/readiness.hpp"
#include "support/vgem.hpp"

#include <gtest/gtest.h>
#include <linux/dma-buf.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

namespace fencebridge::test {

class DmaBufIdentity : public testing::Test {
protected:
    void SetUp() override {
        if (const std::string missing = missing_vgem(); !missing.empty()) {
            GTEST_SKIP() << missing;
        }
    }
};

TEST_F(DmaBufIdentity, TwoDescriptorsOfOneBufferAreOneObject) {
    const VgemBuffer buffer;
    const Fd another(::dup(buffer.dma_buf()));
    const auto first = DmaBuf::of(buffer.dma_buf());
    const auto second = DmaBuf::of(another.get());
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(first, second);
}

TEST_F(DmaBufIdentity, TwoBuffersAreTwoObjects) {
    const VgemBuffer a;
    const VgemBuffer b;
    EXPECT_NE(DmaBuf::of(a.dma_buf()), DmaBuf::of(b.dma_buf()));
}

TEST_F(DmaBufIdentity, ItsDescriptorIsItsOwn) {
    std::shared_ptr<DmaBuf> known;
    {
        const VgemBuffer buffer;
        known = DmaBuf::of(buffer.dma_buf());
        EXPECT_NE(known->fd(), buffer.dma_buf());
    }
    // The application has closed its descriptors; ours still reaches the buffer.
    EXPECT_TRUE(known->export_fences(Access::Read));
    EXPECT_NE(::fcntl(known->fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(DmaBufIdentity, LastReferenceClosesIt) {
    const VgemBuffer buffer;
    const size_t before = open_descriptors();
    {
        const auto known = DmaBuf::of(buffer.dma_buf());
        EXPECT_EQ(open_descriptors(), before + 1);
    }
    EXPECT_EQ(open_descriptors(), before);
    EXPECT_NE(DmaBuf::of(buffer.dma_buf()), nullptr) << "the registry must not remember the dead";
}

TEST_F(DmaBufIdentity, NoDescriptorLeftMeansNullAndWhy) {
    const VgemBuffer buffer;
    {
        const NoMoreDescriptors limit;
        errno = 0;
        EXPECT_EQ(DmaBuf::of(buffer.dma_buf()), nullptr);
        EXPECT_EQ(errno, EMFILE);
    }
    EXPECT_NE(DmaBuf::of(buffer.dma_buf()), nullptr);
}

TEST_F(DmaBufIdentity, ThreadsThatComeAndGoAgree) {
    // Objects die in one thread while others ask for the same inode: what anybody gets is alive and
    // is the object that everybody else has at that time.
    const std::array<VgemBuffer, 3> buffers;
    std::atomic<int> mistakes = 0;
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (size_t i = 0; i < 300; ++i) {
                const VgemBuffer& buffer = buffers.at((i + t) % buffers.size());
                const auto known = DmaBuf::of(buffer.dma_buf());
                const auto again = DmaBuf::of(buffer.dma_buf());
                if (!known || known != again || !known->export_fences(Access::Write)) {
                    ++mistakes;
                }
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(mistakes, 0);
}

TEST(DmaBufOfNothing, IsNullAndSaysWhy) {
    errno = 0;
    EXPECT_EQ(DmaBuf::of(-1), nullptr);
    EXPECT_EQ(errno, EBADF);
}

} // namespace fencebridge::test
