// Timelines on the guest's DRM devices: what linux-drm-syncobj is told by them.
#include "fence/sync_file.hpp"
#include "fence/syncobj.hpp"
#include "fence/vgem.hpp"
#include "support/few_descriptors.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <vector>

namespace fencebridge::test {
namespace {

/// The device numbers of everything in /dev/dri.
std::vector<dev_t> all_nodes() {
    std::vector<dev_t> nodes;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/dri")) {
        struct stat what{};
        if (::stat(entry.path().c_str(), &what) == 0 && S_ISCHR(what.st_mode)) {
            nodes.push_back(what.st_rdev);
        }
    }
    return nodes;
}

class Timeline : public testing::Test {
protected:
    void SetUp() override {
        const auto device = SyncobjDevice::open(all_nodes());
        ASSERT_TRUE(device) << "no DRM device of the guest's has timelines";
        timeline = std::make_unique<SyncobjTimeline>(device);
        ASSERT_TRUE(*timeline);
        ASSERT_TRUE(vgem);
    }

    bool has_event() const {
        uint64_t count = 0;
        return ::read(event.get(), &count, sizeof(count)) == sizeof(count);
    }

    std::unique_ptr<SyncobjTimeline> timeline;
    const std::shared_ptr<Vgem> vgem = Vgem::open();
    const UniqueFd event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

TEST(Timelines, NeedANodeThatHasThem) {
    EXPECT_EQ(SyncobjDevice::open({}), nullptr);
    // /dev/null is no DRM device; of the last number there is none.
    struct stat null{};
    ASSERT_EQ(::stat("/dev/null", &null), 0);
    EXPECT_EQ(SyncobjDevice::open(std::array<dev_t, 2>{null.st_rdev, ~dev_t{0}}), nullptr);
}

TEST_F(Timeline, PointHasNoFenceBeforeItGetsOne) {
    errno = 0;
    EXPECT_FALSE(timeline->export_fence(1));
    EXPECT_EQ(errno, EINVAL);
}

TEST_F(Timeline, PointHasTheFenceThatItWasGiven) {
    ProxyFence work = vgem->make_fence();
    ASSERT_TRUE(work);
    ASSERT_EQ(timeline->import_fence(1, work.sync_file().get()), 0);
    const UniqueFd fence = timeline->export_fence(1);
    ASSERT_TRUE(fence);
    EXPECT_FALSE(is_signalled(fence.get()));
    EXPECT_FALSE(timeline->export_fence(2)) << "a later point has none yet";
    EXPECT_EQ(work.signal(), 0);
    EXPECT_TRUE(is_signalled(fence.get()));
    const UniqueFd later = timeline->export_fence(1);
    ASSERT_TRUE(later) << "a point that has signalled still has a fence";
    EXPECT_TRUE(is_signalled(later.get()));
}

TEST_F(Timeline, TellsWhenAPointGetsItsFenceAndNotWhenItSignals) {
    ProxyFence work = vgem->make_fence();
    ASSERT_TRUE(work);
    ASSERT_EQ(timeline->notify(1, event.get()), 0);
    EXPECT_FALSE(has_event());
    ASSERT_EQ(timeline->import_fence(1, work.sync_file().get()), 0);
    EXPECT_TRUE(has_event());
    EXPECT_EQ(work.signal(), 0);
    EXPECT_FALSE(has_event());
    ASSERT_EQ(timeline->notify(1, event.get()), 0);
    EXPECT_TRUE(has_event()) << "of a point that has its fence already it tells at once";
}

TEST_F(Timeline, CanBeSignalledByHand) {
    ASSERT_EQ(timeline->notify(1, event.get()), 0);
    ASSERT_EQ(timeline->signal(1), 0);
    EXPECT_TRUE(has_event());
    const UniqueFd fence = timeline->export_fence(1);
    ASSERT_TRUE(fence);
    EXPECT_TRUE(is_signalled(fence.get()));
}

TEST_F(Timeline, GoesOnAfterAPointByHand) {
    ASSERT_EQ(timeline->signal(1), 0);
    ProxyFence work = vgem->make_fence();
    ASSERT_TRUE(work);
    ASSERT_EQ(timeline->import_fence(2, work.sync_file().get()), 0);
    const UniqueFd fence = timeline->export_fence(2);
    ASSERT_TRUE(fence);
    EXPECT_FALSE(is_signalled(fence.get()));
    EXPECT_EQ(work.signal(), 0);
}

TEST_F(Timeline, SaysThatThereIsNoDescriptorLeft) {
    ASSERT_EQ(timeline->signal(1), 0);
    const NoMoreDescriptors none_left;
    EXPECT_FALSE(timeline->share());
    EXPECT_EQ(errno, EMFILE);
    EXPECT_FALSE(timeline->export_fence(1));
    EXPECT_EQ(errno, EMFILE);
}

} // namespace
} // namespace fencebridge::test
