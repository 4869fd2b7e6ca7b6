// With ./run --host nobody knows beforehand what the driver can do. Where it exports no dma-bufs,
// no program of this folder has anything to test, and says so instead. The guest's drivers do
// export them: if they fail to, that is a failure.
#include "support/vulkan_machine.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fencebridge::test {
namespace {

/// What ./run counts as a skip, with the last line of the output as its reason.
constexpr int skipped = 77;

class HostMachine : public testing::Environment {
public:
    void SetUp() override {
        const char* const driver =
            std::getenv("FENCEBRIDGE_DRIVER"); // NOLINT(concurrency-mt-unsafe)
        if (driver == nullptr || std::string_view(driver) != "host") {
            return;
        }
        if (const std::string missing = missing_dma_bufs(); !missing.empty()) {
            std::printf("%s\n", missing.c_str());
            std::exit(skipped); // NOLINT(concurrency-mt-unsafe)
        }
    }
};
const auto* const host_machine = testing::AddGlobalTestEnvironment(new HostMachine);

} // namespace
} // namespace fencebridge::test
