#include "compositors/compositor_run.hpp"

#include "support/child_process.hpp"
#include "support/compositor.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace fencebridge::test {

namespace {

/// Where pictures and logs stay when the run is over.
std::filesystem::path output_folder() {
    const std::string job = environment_variable("FENCEBRIDGE_JOB");
    const std::filesystem::path folder =
        job.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(job) / "out";
    std::filesystem::create_directories(folder);
    return folder;
}

/// The compositor of the whole program.
class CompositorRun : public testing::Environment {
public:
    void SetUp() override {
        if (environment_variable("FENCEBRIDGE_DRIVER") == "host") {
            std::printf("the compositors are the guest's\n");
            std::exit(77); // NOLINT(concurrency-mt-unsafe)
        }
        compositor_ = std::make_unique<Compositor>(
            compositor_name(), environment_variable("FENCEBRIDGE_DRIVER") == "lavapipe",
            output_file(".log"));
    }
    void TearDown() override { compositor_.reset(); }

private:
    std::unique_ptr<Compositor> compositor_;
};
const auto* const compositor_run = testing::AddGlobalTestEnvironment(new CompositorRun);

} // namespace

std::string environment_variable(const char* name) {
    const char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    return value != nullptr ? value : "";
}

std::string compositor_name() {
    return from_build("FENCEBRIDGE_COMPOSITOR");
}

std::string output_file(const std::string& what) {
    return (output_folder() /
            (compositor_name() + "-" + environment_variable("FENCEBRIDGE_DRIVER") + what))
        .string();
}

} // namespace fencebridge::test
