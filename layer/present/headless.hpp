// VK_EXT_headless_surface: nobody looks, so every image comes back at once. Whoever got hold of its
// dma-buf by other ways finds the fences of the work on it.
#pragma once

#include "dispatch/device.hpp"
#include "present/surface.hpp"

#include <condition_variable>
#include <mutex>

namespace fencebridge {

class HeadlessPresenter final : public Presenter {
public:
    bool take(std::span<const SwapchainImage> /*images*/, ImageReleases& releases) override {
        releases_ = &releases;
        return true;
    }
    VkResult show(const PresentRequest& request) noexcept override;
    VkResult listen(Deadline deadline) noexcept override;

private:
    ImageReleases* releases_ = nullptr;
    std::mutex mutex_;
    std::condition_variable shown_;
    bool has_shown_ = false; ///< since the last listen()
};

class HeadlessSurface final : public Surface {
public:
    SurfaceKind kind() const override { return SurfaceKind::Headless; }
    bool driver_knows(const Instance& instance, VkPhysicalDevice physical_device) const override {
        return driver_knows_headless(instance, physical_device);
    }
    std::unique_ptr<Presenter> make_presenter(const Device& /*device*/,
                                              const VkSwapchainCreateInfoKHR& /*info*/,
                                              const char*& /*why_not*/) override {
        return std::make_unique<HeadlessPresenter>();
    }
};

} // namespace fencebridge
