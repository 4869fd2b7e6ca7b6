// An owned swapchain's images as pixmaps that Present copies or flips to a window.
#pragma once

#include "present/presenter.hpp"
#include "present/x11/event_queue.hpp"
#include "present/x11/window.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <sys/types.h>
#include <vector>

namespace fencebridge {

/// The fences of presents and of the server's reads are on the images' dma-bufs: Present's own
/// (wait_fence, idle_fence) are not used.
class X11Presenter final : public Presenter {
public:
    /// `nodes`: of the device that makes the images. `extent`: the images'. Null where the window
    /// is gone.
    static std::unique_ptr<X11Presenter> make(std::shared_ptr<const X11Window> window,
                                              std::vector<dev_t> nodes, VkExtent2D extent);
    ~X11Presenter() override;
    X11Presenter(const X11Presenter&) = delete;
    X11Presenter& operator=(const X11Presenter&) = delete;

    std::vector<std::vector<uint64_t>> modifier_sets(std::span<const uint64_t> usable) override;
    uint32_t fewest_images(VkPresentModeKHR mode) const override;
    bool take(std::span<const SwapchainImage> images, ImageReleases& releases) override;
    VkResult show(const PresentRequest& request) noexcept override;
    VkResult listen(Deadline deadline) noexcept override;
    VkResult wait_until_shown(uint64_t id, Deadline deadline) noexcept override;

private:
    struct Pixmap {
        xcb_pixmap_t id = XCB_NONE;
        bool is_lent = false; ///< presented, and not idle
    };
    struct Present {
        uint32_t serial = 0;
        uint64_t id = 0; ///< the application's; 0: none
    };
    X11Presenter(std::shared_ptr<const X11Window> window, std::vector<dev_t> nodes,
                 VkExtent2D extent);
    xcb_pixmap_t make_pixmap(const SwapchainImage& image);
    void free_pixmaps() noexcept;
    bool likes_others_better() noexcept;

    bool handle_events() noexcept;
    void handle(const xcb_present_complete_notify_event_t& event) noexcept;
    void handle(const xcb_present_idle_notify_event_t& event) noexcept;
    void handle(const xcb_present_configure_notify_event_t& event) noexcept;
    bool is_sound() noexcept;
    template<typename IsOver>
    VkResult wait_in_turn(std::unique_lock<std::mutex>& lock, Deadline deadline,
                          IsOver is_over) noexcept;
    template<typename IsOver>
    VkResult wait(std::unique_lock<std::mutex>& lock, Deadline deadline, IsOver is_over) noexcept;

    const std::shared_ptr<const X11Window> window_;
    const std::vector<dev_t> nodes_;
    const VkExtent2D extent_;
    X11EventQueue events_;
    ImageReleases* releases_ = nullptr;
    std::vector<uint64_t> usable_; ///< the driver's modifiers
    std::vector<uint64_t> best_;   ///< the set that the server liked best for them
    bool asked_again_ = false;     ///< whether the server likes others better now
    bool likes_others_ = false;

    std::mutex mutex_; ///< of all that follows: one thread handles events
    std::condition_variable changed_;
    bool has_waiter_ = false;     ///< one waits at the connection, others for changed_
    std::vector<Pixmap> pixmaps_; ///< by image
    VkExtent2D window_size_;
    bool has_news_ = false; ///< since the last listen()
    bool copies_suboptimal_ = false;
    bool is_lost_ = false;
    uint64_t last_msc_ = 0; ///< the window's refresh with which the last one completed
    xcb_void_cookie_t last_present_{};
    uint64_t shown_id_ = 0;        ///< the newest that has completed
    std::deque<Present> presents_; ///< that have not
};

} // namespace fencebridge
