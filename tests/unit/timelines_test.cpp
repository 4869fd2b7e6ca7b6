// Timelines: which releases must be put off, and what sets them free.
#include "handoff/timelines.hpp"
#include "unit/handles.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <thread>

namespace fencebridge::test {

namespace {

/// The driver's side of timeline semaphores: counters that signals from elsewhere have raised.
class FakeCounters {
public:
    FakeCounters() {
        current = this;
        table_.GetSemaphoreCounterValue = get;
    }
    ~FakeCounters() { current = nullptr; }
    FakeCounters(const FakeCounters&) = delete;
    FakeCounters& operator=(const FakeCounters&) = delete;

    DeviceCalls calls() const { return {handle<VkDevice>(1), &table_}; }
    std::map<VkSemaphore, uint64_t> values;
    VkResult result = VK_SUCCESS;

private:
    static VKAPI_ATTR VkResult VKAPI_CALL get(VkDevice, VkSemaphore semaphore, uint64_t* value) {
        *value = current->values[semaphore];
        return current->result;
    }
    static inline FakeCounters* current = nullptr;
    VkuDeviceDispatchTable table_{};
};

} // namespace

class TimelinesTest : public testing::Test {
protected:
    TimelinesTest() {
        for (const VkSemaphore semaphore : {s, t}) {
            timelines.created(semaphore, 0);
        }
    }

    /// A submit with these points and a release; the numbers of the releases that it set free, its
    /// own included where it need not be put off.
    std::vector<uint64_t> submit(QueueSubmitter* on, uint64_t number, TimelinePoints points) {
        std::vector<uint64_t> free;
        std::optional<ParkedRelease> parked;
        if (timelines.is_resolved(on, points.waits)) {
            free.push_back(number);
        } else {
            parked = ParkedRelease{on, number, {}, {}, {}, {}};
        }
        timelines.submitting(points);
        for (const ParkedRelease& release : timelines.submitted(on, points, std::move(parked))) {
            free.push_back(release.submit);
        }
        return free;
    }
    /// The bookkeeping behind a call that has begun with host_signalling().
    std::vector<uint64_t> end_host_signal(VkSemaphore semaphore, uint64_t value) {
        std::vector<uint64_t> free;
        for (const ParkedRelease& release : timelines.signalled_by_host({semaphore, value})) {
            free.push_back(release.submit);
        }
        return free;
    }
    std::vector<uint64_t> host_signal(VkSemaphore semaphore, uint64_t value) {
        timelines.host_signalling();
        return end_host_signal(semaphore, value);
    }
    using Numbers = std::vector<uint64_t>;

    const VkSemaphore s = handle<VkSemaphore>(10);
    const VkSemaphore t = handle<VkSemaphore>(11);
    // Keys only: nothing here looks behind them.
    QueueSubmitter* const queue = handle<QueueSubmitter*>(20);
    QueueSubmitter* const other = handle<QueueSubmitter*>(21);
    FakeCounters driver;
    Timelines timelines{driver.calls()};
};

TEST_F(TimelinesTest, NoTimelineNothingToAsk) {
    Timelines none(driver.calls());
    EXPECT_FALSE(none.any());
    EXPECT_FALSE(none.any_unresolved());
    EXPECT_TRUE(none.is_resolved(queue, {}));
    EXPECT_TRUE(timelines.any());
    timelines.destroyed(s);
    timelines.destroyed(t);
    EXPECT_FALSE(timelines.any());
}

TEST_F(TimelinesTest, WaitThatIsSignalledAlreadyIsNotPutOff) {
    timelines.created(s, 5);
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 5}}, .signals = {}}), Numbers{1});
    EXPECT_EQ(submit(other, 2, {.waits = {}, .signals = {{s, 6}}}), Numbers{2});
    EXPECT_EQ(submit(queue, 3, {.waits = {{s, 6}}, .signals = {}}), Numbers{3});
    EXPECT_FALSE(timelines.any_unresolved());
}

TEST_F(TimelinesTest, WaitBeforeSignalIsPutOffUntilTheHostSignals) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 2}}, .signals = {}}), Numbers{});
    EXPECT_TRUE(timelines.any_unresolved());
    EXPECT_EQ(host_signal(s, 1), Numbers{});
    EXPECT_EQ(host_signal(s, 2), Numbers{1});
    EXPECT_FALSE(timelines.any_unresolved());
}

TEST_F(TimelinesTest, AnotherQueuesSubmitSetsItFree) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    // The submit's own release first, then what it resolved.
    EXPECT_EQ(submit(other, 2, {.waits = {}, .signals = {{s, 1}}}), (Numbers{2, 1}));
}

TEST_F(TimelinesTest, ChainOverTwoQueuesIsFollowed) {
    // 1 waits for what 2 signals, and 2 waits for the host: a signal that is itself unresolved does
    // not set anything free.
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    EXPECT_EQ(submit(other, 2, {.waits = {{t, 1}}, .signals = {{s, 1}}}), Numbers{});
    EXPECT_EQ(submit(queue, 3, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    auto free = host_signal(t, 1);
    EXPECT_EQ(free.size(), 3U);
    EXPECT_LT(std::find(free.begin(), free.end(), 1), std::find(free.begin(), free.end(), 3));
    EXPECT_FALSE(timelines.any_unresolved());
}

TEST_F(TimelinesTest, QueueOrderHoldsBackWhatComesBehind) {
    // A signal on a queue covers everything before it, so behind an unresolved submit nothing is
    // resolved, even where it waits for nothing itself.
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    EXPECT_EQ(submit(queue, 2, {}), Numbers{});
    EXPECT_EQ(submit(other, 3, {}), Numbers{3}) << "another queue is not concerned";
    EXPECT_EQ(host_signal(s, 1), (Numbers{1, 2}));
    EXPECT_EQ(submit(queue, 4, {}), Numbers{4});
}

TEST_F(TimelinesTest, SignalOfAHeldBackSubmitIsNotThereYet) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    EXPECT_EQ(submit(queue, 2, {.waits = {}, .signals = {{t, 1}}}), Numbers{});
    EXPECT_EQ(submit(other, 3, {.waits = {{t, 1}}, .signals = {}}), Numbers{});
    auto free = host_signal(s, 1);
    std::sort(free.begin(), free.end());
    EXPECT_EQ(free, (Numbers{1, 2, 3}));
}

TEST_F(TimelinesTest, SignalsFromElsewhereAreSeenInTheCounter) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 3}}, .signals = {}}), Numbers{});
    // Another process has signalled its payload; the next call on this device finds out.
    driver.values[s] = 3;
    EXPECT_EQ(submit(other, 2, {.waits = {{s, 3}}, .signals = {}}), (Numbers{2, 1}));
}

TEST_F(TimelinesTest, SignalsFromElsewhereAreFoundByWhoeverLooks) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 3}}, .signals = {}}), Numbers{});
    EXPECT_TRUE(timelines.look_again().empty());
    driver.values[s] = 3;
    const std::vector<ParkedRelease> found = timelines.look_again();
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found.front().submit, 1U);
    EXPECT_FALSE(timelines.any_unresolved());
}

TEST_F(TimelinesTest, SignalOfOurOwnIsNotAnotherCallsToComplete) {
    // Between the driver's signal and ours, a submit elsewhere saw the counter and took the release
    // over: vkSignalSemaphore returned while that submit was still at it.
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    timelines.host_signalling();
    driver.values[s] = 1;
    EXPECT_EQ(submit(other, 2, {}), Numbers{2});
    EXPECT_EQ(end_host_signal(s, 1), Numbers{1});

    EXPECT_EQ(submit(queue, 3, {.waits = {{s, 2}}, .signals = {}}), Numbers{});
    timelines.submitting({.waits = {}, .signals = {{s, 2}}});
    driver.values[s] = 2;
    EXPECT_EQ(submit(other, 4, {}), Numbers{4});
    timelines.not_submitted({.waits = {}, .signals = {{s, 2}}});
    EXPECT_EQ(submit(other, 5, {}), (Numbers{5, 3})) << "then it came from elsewhere";
}

TEST_F(TimelinesTest, SignalOfAHeldBackSubmitIsItsResolversToComplete) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    const TimelinePoints both{.waits = {{t, 1}}, .signals = {{s, 1}}};
    EXPECT_EQ(submit(other, 2, both), Numbers{});
    timelines.host_signalling();
    // The driver is quick: all of it is done before the host's call is back.
    driver.values[t] = 1;
    driver.values[s] = 1;
    EXPECT_EQ(submit(handle<QueueSubmitter*>(22), 3, {}), Numbers{3});
    Numbers both_releases = end_host_signal(t, 1);
    std::sort(both_releases.begin(), both_releases.end());
    EXPECT_EQ(both_releases, (Numbers{1, 2}));
}

TEST_F(TimelinesTest, CallInProgressDelaysSignalsFromElsewhereNoLongerThanItself) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 3}}, .signals = {{s, 4}}}), Numbers{});
    timelines.host_signalling();
    driver.values[s] = 3;
    EXPECT_EQ(submit(other, 2, {}), Numbers{2});
    EXPECT_EQ(end_host_signal(t, 1), Numbers{1});
}

TEST_F(TimelinesTest, CounterThatCannotBeReadResolvesNothing) {
    driver.values[s] = 3;
    driver.result = VK_ERROR_DEVICE_LOST;
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 3}}, .signals = {}}), Numbers{});
}

TEST_F(TimelinesTest, DestroyedSemaphoreHoldsNothingBack) {
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
    EXPECT_EQ(timelines.destroyed(s).size(), 1U);
    EXPECT_FALSE(timelines.any_unresolved());
    EXPECT_EQ(submit(queue, 2, {}), Numbers{2});
    // A new semaphore at the old one's address starts from its own value.
    timelines.created(s, 0);
    EXPECT_EQ(submit(queue, 3, {.waits = {{s, 1}}, .signals = {}}), Numbers{});
}

TEST_F(TimelinesTest, AnotherPayloadStartsFromItsOwnCounter) {
    EXPECT_EQ(host_signal(s, 5), Numbers{});
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 5}}, .signals = {}}), Numbers{1});
    timelines.payload_replaced(s);
    driver.values[s] = 3;
    EXPECT_EQ(submit(queue, 2, {.waits = {{s, 3}}, .signals = {}}), Numbers{2});
    EXPECT_EQ(submit(queue, 3, {.waits = {{s, 4}}, .signals = {}}), Numbers{});
}

TEST_F(TimelinesTest, CollectsTimelinesOnly) {
    const VkSemaphore binary = handle<VkSemaphore>(12);
    const std::array waits{s, binary};
    const std::array<uint64_t, 2> wait_values{4, 0};
    const std::array<uint64_t, 1> signal_values{5};
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .waitSemaphoreValueCount = 2,
        .pWaitSemaphoreValues = wait_values.data(),
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = signal_values.data(),
    };
    const VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .pNext = &values,
        .waitSemaphoreCount = 2,
        .pWaitSemaphores = waits.data(),
        .signalSemaphoreCount = 1,
        .pSignalSemaphores = &t,
    };
    TimelinePoints points;
    timelines.collect(std::span(&batch, 1), points);
    ASSERT_EQ(points.waits.size(), 1U);
    EXPECT_EQ(points.waits[0].semaphore, s);
    EXPECT_EQ(points.waits[0].value, 4U);
    ASSERT_EQ(points.signals.size(), 1U);
    EXPECT_EQ(points.signals[0].value, 5U);
}

/// What lets a submit go the short way: no point may be overlooked, a binary semaphore may pass for
/// one.
TEST_F(TimelinesTest, PointsAreSuspectedWithoutALock) {
    VkSubmitInfo batch{
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO, .waitSemaphoreCount = 1, .pWaitSemaphores = &s};
    EXPECT_FALSE(Timelines::may_have_points(std::span<const VkSubmitInfo>(&batch, 1)));
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    const VkProtectedSubmitInfo something_else{.sType = VK_STRUCTURE_TYPE_PROTECTED_SUBMIT_INFO,
                                               .pNext = &values};
    batch.pNext = &something_else;
    EXPECT_TRUE(Timelines::may_have_points(std::span<const VkSubmitInfo>(&batch, 1)));

    VkSemaphoreSubmitInfo semaphore{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                    .semaphore = s};
    std::array<VkSubmitInfo2, 2> batches{};
    batches[1].signalSemaphoreInfoCount = 1;
    batches[1].pSignalSemaphoreInfos = &semaphore;
    EXPECT_FALSE(Timelines::may_have_points(std::span<const VkSubmitInfo2>(batches)));
    semaphore.value = 1;
    EXPECT_TRUE(Timelines::may_have_points(std::span<const VkSubmitInfo2>(batches)));
}

TEST_F(TimelinesTest, WaitForAnEarlierBatchOfTheSameSubmitIsNone) {
    const auto info = [](VkSemaphore semaphore, uint64_t value) {
        return VkSemaphoreSubmitInfo{.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                     .semaphore = semaphore,
                                     .value = value};
    };
    const auto signal = info(s, 5);
    const auto covered = info(s, 4);
    const auto beyond = info(s, 6);
    const VkSubmitInfo2 signals{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                                .signalSemaphoreInfoCount = 1,
                                .pSignalSemaphoreInfos = &signal};
    const auto waits = [](const VkSemaphoreSubmitInfo& wait) {
        return VkSubmitInfo2{.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                             .waitSemaphoreInfoCount = 1,
                             .pWaitSemaphoreInfos = &wait};
    };
    TimelinePoints points;
    timelines.collect(std::array{signals, waits(covered), waits(beyond)}, points);
    ASSERT_EQ(points.waits.size(), 1U);
    EXPECT_EQ(points.waits[0].value, 6U);

    // The other way round, the wait comes before its signal and stands.
    points.clear();
    timelines.collect(std::array{waits(covered), signals}, points);
    EXPECT_EQ(points.waits.size(), 1U);
}

TEST_F(TimelinesTest, SparseBindsCarryPointsToo) {
    const std::array<uint64_t, 1> value{7};
    const VkTimelineSemaphoreSubmitInfo values{
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
        .signalSemaphoreValueCount = 1,
        .pSignalSemaphoreValues = value.data(),
    };
    const VkBindSparseInfo bind{.sType = VK_STRUCTURE_TYPE_BIND_SPARSE_INFO,
                                .pNext = &values,
                                .signalSemaphoreCount = 1,
                                .pSignalSemaphores = &s};
    TimelinePoints points;
    timelines.collect(std::span(&bind, 1), points);
    EXPECT_EQ(submit(queue, 1, {.waits = {{s, 7}}, .signals = {}}), Numbers{});
    EXPECT_EQ(submit(other, 2, points), (Numbers{2, 1}));
}

TEST_F(TimelinesTest, ThreadsOnQueuesOfTheirOwnLoseNothing) {
    constexpr uint64_t rounds = 500;
    std::atomic<uint64_t> freed = 0;
    std::thread waits([&] {
        for (uint64_t i = 1; i <= rounds; ++i) {
            freed += submit(queue, i, {.waits = {{s, i}}, .signals = {}}).size();
        }
    });
    std::thread signals([&] {
        for (uint64_t i = 1; i <= rounds; ++i) {
            freed += host_signal(s, i).size();
        }
    });
    waits.join();
    signals.join();
    freed += host_signal(t, 1).size();
    EXPECT_EQ(freed, rounds);
    EXPECT_FALSE(timelines.any_unresolved());
}

} // namespace fencebridge::test
