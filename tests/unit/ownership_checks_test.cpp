// The setting `check`: which sequences of acquires, uses and releases are told of.
#include "handoff/ownership_checks.hpp"
#include "unit/handles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <sys/mman.h>
#include <vector>

namespace fencebridge::test {

namespace {

struct Told {
    std::string id;
    std::string text;
    uint64_t object = 0;
    std::string object_name;
};
std::vector<Told> told;

/// In the place of the next layer.
VKAPI_ATTR void VKAPI_CALL submit_message(VkInstance /*instance*/,
                                          VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                          VkDebugUtilsMessageTypeFlagsEXT types,
                                          const VkDebugUtilsMessengerCallbackDataEXT* data) {
    EXPECT_EQ(severity, VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT);
    EXPECT_EQ(types, VkFlags{VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT});
    ASSERT_EQ(data->objectCount, 1U);
    const char* const name = data->pObjects->pObjectName;
    told.push_back({data->pMessageIdName, data->pMessage, data->pObjects->objectHandle,
                    name != nullptr ? name : ""});
}

constexpr const char* use_while_peer_owns = "FENCEBRIDGE-use-while-peer-owns";
constexpr const char* release_without_acquire = "FENCEBRIDGE-release-without-acquire";
constexpr const char* unseen = "FENCEBRIDGE-hand-off-unseen";

} // namespace

class Checks : public testing::Test {
protected:
    Checks() { told.clear(); }

    using Kind = ResourceStep::Kind;
    void record(VkCommandBuffer commands, VkImage resource, Kind kind) {
        recordings.add(commands,
                       ResourceStep{debug_object(resource), kind, Access::Write, {memory}});
    }
    void submit(VkCommandBuffer commands) { checks.submitted(look(commands)); }
    OwnershipChecks::Submit look(VkCommandBuffer commands) {
        const VkSubmitInfo batch{
            .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
            .commandBufferCount = 1,
            .pCommandBuffers = &commands,
        };
        return checks.look(std::span(&batch, 1), recordings);
    }
    /// A command buffer of one step, submitted.
    void submit(VkImage resource, Kind kind) {
        recordings.clear(scratch);
        record(scratch, resource, kind);
        submit(scratch);
    }
    static std::vector<std::string> ids() {
        std::vector<std::string> all;
        for (const Told& one : told) {
            all.push_back(one.id);
        }
        return all;
    }

    /// A memfd in the place of a dma-buf: it has no fences.
    static std::shared_ptr<DmaBuf> buffer() {
        const UniqueFd file(::memfd_create("dma-buf", MFD_CLOEXEC));
        return DmaBuf::of(file.get());
    }

    Device device;
    SharedMemoryRef memory =
        std::make_shared<SharedMemory>(device, handle<VkDeviceMemory>(9), buffer());
    DebugMessages messages{handle<VkInstance>(1), submit_message};
    OwnershipChecks checks{messages};
    Recordings recordings;
    const VkImage image = handle<VkImage>(2);
    const VkImage other = handle<VkImage>(3);
    const VkCommandBuffer first = handle<VkCommandBuffer>(4);
    const VkCommandBuffer second = handle<VkCommandBuffer>(5);
    const VkCommandBuffer scratch = handle<VkCommandBuffer>(6);
};

TEST_F(Checks, FramesThatKeepToTheRulesAreNotToldOf) {
    // The first frame of a resource that nobody had before needs no acquire.
    record(first, image, Kind::Use);
    record(first, image, Kind::Release);
    submit(first);
    for (int frame = 0; frame < 3; ++frame) {
        recordings.clear(second);
        record(second, image, Kind::Acquire);
        record(second, image, Kind::Use);
        record(second, image, Kind::Release);
        submit(second);
    }
    EXPECT_TRUE(told.empty());
}

TEST_F(Checks, UseAfterReleaseIsToldOf) {
    submit(image, Kind::Release);
    submit(image, Kind::Use);
    ASSERT_EQ(ids(), std::vector<std::string>{use_while_peer_owns});
    EXPECT_EQ(told[0].object, debug_object(image).handle);
}

TEST_F(Checks, OrderWithinACommandBufferCounts) {
    record(first, image, Kind::Release);
    record(first, image, Kind::Use);
    submit(first);
    EXPECT_EQ(ids(), std::vector<std::string>{use_while_peer_owns});
    told.clear();

    record(second, other, Kind::Use);
    record(second, other, Kind::Release);
    record(second, other, Kind::Acquire);
    record(second, other, Kind::Use);
    submit(second);
    EXPECT_TRUE(told.empty());
}

TEST_F(Checks, SecondReleaseWithoutAnAcquireIsToldOf) {
    submit(image, Kind::Release);
    submit(image, Kind::Release);
    EXPECT_EQ(ids(), std::vector<std::string>{release_without_acquire});
}

TEST_F(Checks, EachKindIsToldOnceAResource) {
    for (int i = 0; i < 3; ++i) {
        submit(image, Kind::Release);
        submit(image, Kind::Use);
    }
    EXPECT_EQ(ids(), (std::vector<std::string>{use_while_peer_owns, release_without_acquire}));
    submit(other, Kind::Release);
    submit(other, Kind::Use);
    EXPECT_EQ(ids().back(), use_while_peer_owns);
    EXPECT_EQ(told.back().object, debug_object(other).handle);
}

TEST_F(Checks, ResourcesOnOneMemoryAreFollowedApart) {
    submit(image, Kind::Release);
    submit(other, Kind::Use);
    EXPECT_TRUE(told.empty());
}

TEST_F(Checks, FailedSubmitDoesNotCount) {
    record(first, image, Kind::Release);
    (void)look(first);
    submit(first);
    EXPECT_TRUE(told.empty());
}

TEST_F(Checks, SecondariesHappenInTheirPrimary) {
    record(second, image, Kind::Use);
    recordings.executed(first, {&second, 1});
    submit(image, Kind::Release);
    submit(first);
    EXPECT_EQ(ids(), std::vector<std::string>{use_while_peer_owns});
}

TEST_F(Checks, DestroyedResourceLeavesNothingToItsHandlesNextOne) {
    messages.set_name(debug_object(image), "the old one");
    submit(image, Kind::Release);
    checks.destroyed(debug_object(image));
    submit(image, Kind::Use);
    EXPECT_TRUE(told.empty());
    submit(image, Kind::Release);
    submit(image, Kind::Use);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].object_name, "");
}

TEST_F(Checks, MessagesNameTheObject) {
    messages.set_name(debug_object(image), "frame 3");
    submit(image, Kind::Release);
    submit(image, Kind::Use);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].object_name, "frame 3");
    EXPECT_NE(told[0].text.find("VkImage \"frame 3\" is used"), std::string::npos) << told[0].text;
}

TEST_F(Checks, ReleaseOfWhatIsNoDmaBufIsToldOf) {
    checks.released_unshared(debug_object(image));
    checks.released_unshared(debug_object(image));
    EXPECT_EQ(ids(), std::vector<std::string>{unseen});
}

TEST_F(Checks, ReleasesOfMemoryThatNobodyWasGivenAreToldOfAtItsEnd) {
    memory = std::make_shared<SharedMemory>(device, handle<VkDeviceMemory>(9));
    submit(image, Kind::Release);
    EXPECT_TRUE(told.empty());
    checks.freed(memory);
    ASSERT_EQ(ids(), std::vector<std::string>{unseen});
    EXPECT_EQ(told[0].object, debug_object(memory->handle()).handle);
}

TEST_F(Checks, MemoryThatWasNeverReleasedOrHasAPeerIsFreedInSilence) {
    checks.freed(std::make_shared<SharedMemory>(device, handle<VkDeviceMemory>(10)));
    submit(image, Kind::Release); // on an imported memory
    checks.freed(memory);
    EXPECT_TRUE(told.empty());
}

} // namespace fencebridge::test
