// Presents reach the window system in the order of their calls, whoever gets them ready.
#include "present/present_order.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

namespace fencebridge::test {
namespace {

class PresentOrderTest : public testing::Test {
protected:
    PresentOrder::Number expect(uint32_t image) {
        PresentRequest request;
        request.image = image;
        return order.expect(std::move(request));
    }
    void ready(PresentOrder::Number number) {
        order.ready(number, [this](const PresentRequest& request) noexcept {
            shown.push_back(request.image);
        });
    }
    void forget(PresentOrder::Number number) {
        order.forget(number, [this](const PresentRequest& request) noexcept {
            shown.push_back(request.image);
        });
    }

    using Images = std::vector<uint32_t>;
    PresentOrder order;
    Images shown;
};

TEST_F(PresentOrderTest, ReadyIsShownAtOnce) {
    ready(expect(4));
    EXPECT_EQ(shown, Images{4});
    ready(expect(5));
    EXPECT_EQ(shown, (Images{4, 5}));
}

TEST_F(PresentOrderTest, LaterOneWaitsForTheEarlier) {
    const auto first = expect(1);
    const auto second = expect(2);
    const auto third = expect(3);
    ready(second);
    EXPECT_EQ(shown, Images{});
    ready(first);
    EXPECT_EQ(shown, (Images{1, 2}));
    ready(third);
    EXPECT_EQ(shown, (Images{1, 2, 3}));
}

TEST_F(PresentOrderTest, ForgottenOneHoldsNothingUp) {
    const auto first = expect(1);
    const auto second = expect(2);
    ready(second);
    forget(first);
    EXPECT_EQ(shown, Images{2});
    // Numbers that are over mean nothing.
    ready(first);
    EXPECT_EQ(shown, Images{2});
}

TEST_F(PresentOrderTest, OneThreadShowsAtATime) {
    const auto first = expect(1);
    const auto second = expect(2);
    std::promise<void> is_showing;
    std::promise<void> may_go_on;
    std::thread slow([&] {
        order.ready(first, [&](const PresentRequest& request) noexcept {
            if (request.image == 1) {
                is_showing.set_value();
                may_go_on.get_future().wait();
            }
            shown.push_back(request.image);
        });
    });
    is_showing.get_future().wait();
    // Does not wait for the other thread, which shows this one, too.
    ready(second);
    EXPECT_EQ(shown, Images{});
    may_go_on.set_value();
    slow.join();
    EXPECT_EQ(shown, (Images{1, 2}));
}

TEST_F(PresentOrderTest, ClosedShowsNothingMoreAndWaitsForWhoIsShowing) {
    const auto first = expect(1);
    const auto second = expect(2);
    std::promise<void> is_showing;
    std::thread slow([&] {
        order.ready(first, [&](const PresentRequest& request) noexcept {
            is_showing.set_value();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            shown.push_back(request.image);
        });
    });
    is_showing.get_future().wait();
    order.close();
    EXPECT_EQ(shown, Images{1}) << "close() has not waited";
    ready(second);
    EXPECT_EQ(shown, Images{1});
    slow.join();
}

} // namespace
} // namespace fencebridge::test
