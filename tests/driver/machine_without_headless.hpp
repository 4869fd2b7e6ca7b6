// A machine whose driver lacks VK_EXT_headless_surface: the guest's with the extension hidden
// (support/driver_without_headless.cpp), which ends the process where a headless surface reaches
// it. Under today's loader, and, with $FENCEBRIDGE_OLD_LOADER, under Debian 12's.
#pragma once

#include "driver/headless_present.hpp"
#include "support/lesser_driver.hpp"

#include <gtest/gtest.h>
#include <vulkan/vulkan.h>

#include <optional>
#include <string>
#include <string_view>

namespace fencebridge::test {

constexpr const char* old_loader = "libvulkan.so.1.3.239";
bool is_old_loader();

/// For the names of cases: the loader, where it is the old one.
std::string loader();
std::string by_mode_and_loader(const testing::TestParamInfo<PresentMode>& parameter);

/// Every driver of this process is the one without the extension, but where a test adds another.
class MachineWithoutHeadless : public testing::Environment {
public:
    void SetUp() override;

    DriverWithoutHeadless driver;
    std::string own; ///< the manifest of the driver as it is

private:
    TemporaryFolder folder_;
};
/// The one of this program.
const MachineWithoutHeadless& machine();

/// A variable for as long as it stands.
class Variable {
public:
    Variable(const char* name, const std::string& value);
    ~Variable();
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;

private:
    const char* const name_;
    std::optional<std::string> before_;
};

/// Whether an instance may have the extension.
bool is_offered(std::string_view extension = VK_EXT_HEADLESS_SURFACE_EXTENSION_NAME);

/// An instance of Vulkan 1.1 for headless surfaces.
VkResult make_instance(VkInstance& instance);

} // namespace fencebridge::test
