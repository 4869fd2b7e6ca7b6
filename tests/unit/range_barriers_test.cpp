// Memory-range barriers: addresses lead to buffers, and from there on they are barriers like
// others. No driver at hand has VK_KHR_device_address_commands: the driver's answers are made up
// here.
#include "handoff/bridge.hpp"
#include "unit/handles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <sys/mman.h>

namespace fencebridge::test {

namespace {

constexpr VkDeviceSize buffer_size = 0x1000;

VKAPI_ATTR void VKAPI_CALL requirements_of(VkDevice /*device*/, VkBuffer /*buffer*/,
                                           VkMemoryRequirements* requirements) {
    requirements->size = buffer_size;
}

/// As VkMemoryRangeBarrierKHR, which older headers lack.
struct RangeBarrier {
    VkAccessFlags2 srcAccessMask;
    VkAccessFlags2 dstAccessMask;
    uint32_t srcQueueFamilyIndex;
    uint32_t dstQueueFamilyIndex;
    struct {
        VkDeviceAddress address;
        VkDeviceSize size;
    } addressRange;
};

} // namespace

class RangeBarriers : public testing::Test {
protected:
    RangeBarriers() {
        device.instance = &instance;
        device.next.GetBufferMemoryRequirements = requirements_of;
        bridge.emplace(device);
        const UniqueFd file(::memfd_create("dma-buf", MFD_CLOEXEC));
        bridge->memories.allocated({}, memory, DmaBuf::of(file.get()));
        bridge->memories.bound(shared, memory);
        bridge->addressed(shared, first);
        bridge->addressed(own, first + 2 * buffer_size);
    }

    /// What a release of the range at `address` records.
    std::vector<HandOff> released_at(VkDeviceAddress address) {
        const RangeBarrier release{
            VK_ACCESS_2_TRANSFER_WRITE_BIT, 0, 0, VK_QUEUE_FAMILY_FOREIGN_EXT, {address, 16}};
        bridge->recordings.clear(commands);
        bridge->record_ranges(commands, std::span(&release, 1));
        std::vector<HandOff> recorded;
        bridge->recordings.visit(commands,
                                 [&](const Recording& found) { recorded = found.hand_offs; });
        return recorded;
    }

    Instance instance;
    Device device;
    std::optional<Bridge> bridge;
    const VkDeviceMemory memory = handle<VkDeviceMemory>(1);
    const VkBuffer shared = handle<VkBuffer>(2);
    const VkBuffer own = handle<VkBuffer>(3);
    const VkCommandBuffer commands = handle<VkCommandBuffer>(4);
    const VkDeviceAddress first = 0x10000;
};

TEST_F(RangeBarriers, TransferWhatLiesAtTheirAddress) {
    for (const VkDeviceAddress address : {first, first + buffer_size - 1}) {
        const auto recorded = released_at(address);
        ASSERT_EQ(recorded.size(), 1U);
        EXPECT_EQ(recorded[0].memory->handle(), memory);
        EXPECT_EQ(recorded[0].direction, Direction::Release);
        EXPECT_EQ(recorded[0].access, Access::Write);
    }
}

TEST_F(RangeBarriers, OfOtherAddressesTransferNothing) {
    for (const VkDeviceAddress address :
         {first - 1, first + buffer_size, first + 2 * buffer_size, VkDeviceAddress{0}}) {
        EXPECT_TRUE(released_at(address).empty()) << address;
    }
}

TEST_F(RangeBarriers, DestroyedBuffersHaveNoAddress) {
    bridge->destroyed(shared);
    EXPECT_TRUE(released_at(first).empty());
}

} // namespace fencebridge::test
