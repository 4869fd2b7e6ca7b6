// Whether a device's driver knows headless surfaces, by what is known of all drivers.
#include "dispatch/headless_drivers.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace fencebridge::test {

namespace {

DeviceIdentity device(uint8_t number) {
    DeviceIdentity one;
    one.driver.fill(number);
    one.device.fill(1);
    return one;
}

LoadedDriver with() {
    return {.has_headless = true, .devices = std::nullopt};
}
LoadedDriver without(std::vector<DeviceIdentity> devices) {
    return {.has_headless = false, .devices = std::move(devices)};
}
LoadedDriver without_a_word() {
    return {.has_headless = false, .devices = std::nullopt};
}

bool knows(const std::vector<LoadedDriver>& drivers, const std::optional<DeviceIdentity>& its) {
    return knows_headless_surfaces(drivers, its);
}

} // namespace

TEST(HeadlessDrivers, AllHaveIt) {
    EXPECT_TRUE(knows({with()}, device(1)));
    EXPECT_TRUE(knows({with(), with()}, std::nullopt)) << "no device need say which it is";
}

TEST(HeadlessDrivers, NoneHasIt) {
    EXPECT_FALSE(knows({}, device(1)));
    EXPECT_FALSE(knows({without_a_word()}, device(1)));
    EXPECT_FALSE(knows({without({}), without({})}, device(1)));
}

TEST(HeadlessDrivers, SomeHaveIt) {
    const std::vector<LoadedDriver> drivers{with(), without({device(2), device(3)}), with()};
    EXPECT_TRUE(knows(drivers, device(1)));
    EXPECT_FALSE(knows(drivers, device(2)));
    EXPECT_FALSE(knows(drivers, device(3)));
    DeviceIdentity under_another_driver = device(2);
    under_another_driver.driver.fill(4);
    EXPECT_TRUE(knows(drivers, under_another_driver));
}

TEST(HeadlessDrivers, WhatCannotBeToldIsNotTakenForKnown) {
    EXPECT_FALSE(knows({with(), without({device(2)})}, std::nullopt));
    EXPECT_FALSE(knows({with(), without_a_word()}, device(1)));
    // Two drivers, one around the other, with the same devices.
    EXPECT_FALSE(knows({with(), without({device(1)})}, device(1)));
}

} // namespace fencebridge::test
