"""The applications of the matrix: other people's, as Debian ships them, and how each one is run.

Each is started several times: without the layer, as users switch it on, with the layer's own swapchains, and with
the validation layer below and above. What it draws is compared by the means that fit it:
  frame    a presented frame by its number, where each frame is another, and the same in each run
  screen   what the compositor shows, where a picture stands still. That must be one that waits for fences, told of
           them by linux-drm-syncobj (sway) or looking at the dma-buf's (kwin): virtio-gpu's kernel driver does not,
           and a frame that GL has taken too early, and that no other frame follows, stays as it was then
  output   what the application itself writes: a file of pixels or of their checksums, or text
"""

import dataclasses
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
MEDIA = ("av://lavfi:testsrc=size=160x120:rate=10",)


@dataclasses.dataclass(frozen=True)
class Application:
    name: str
    what: str                       # for the table: what it is an example of
    argv: tuple
    place: str = "sway"             # the compositor that it runs in; none: it needs no window
    drivers: tuple = ("venus",)     # the guest's that it is run on
    environment: dict = dataclasses.field(default_factory=dict)
    frame: int = 0                  # compared by this presented frame
    screen_argv: tuple = ()         # compared by the screen while this runs; it does not end by itself
    output: object = None           # compared by this function of the run
    releases: int = 0               # hand-offs that the layer must see at least, with swapchains of its own
    acquires: int = 0
    ends_device: bool = True        # and the layer's counters are in its log; some just leave
    limit: int = 150                # seconds; what takes longer hangs


def a_while(seconds, *argv):
    """One that would go on for ever is asked to end as a desktop asks it."""
    return ("/usr/bin/timeout", "--preserve-status", str(seconds), *argv)


def mpv(*options):
    return ("/usr/bin/mpv", "--no-config", "--really-quiet", "--vo=gpu-next", "--gpu-api=vulkan", "--gpu-sw=yes",
            "--ao=null", "--osd-level=0", "--no-osc", "--geometry=256x192", *options, *MEDIA)


def waypipe(*argv):
    """Both of its ends, which know of the layer; what runs inside does not."""
    return ("/bin/bash", str(HERE / "waypipe_pair.sh"), *argv)


def vulkaninfo_text(run):
    """All that it says of the instance and the devices, but for what any layer adds to it: the lists of layers and of
    instance extensions. And but for what differs from call to call: heap budgets."""
    text = run.out.split("Device Properties and Extensions:", 1)[-1]
    text = re.sub(r"(heapBudget|heapUsage|budget|usage) *= .*", "", text)
    return re.sub(r"(?s)Layers: count = .*?\n\n\n", "", text)


def written_file(run):
    return run.file("output")


ALL = (
    Application(
        "vulkaninfo", "asks for everything, shares nothing", ("/usr/bin/vulkaninfo",), place="none",
        drivers=("venus", "lavapipe"), output=vulkaninfo_text),
    Application(
        "vkcube (Wayland)", "swapchain, one queue", ("/usr/bin/vkcube", "--wsi", "wayland", "--c", "40"),
        frame=20, releases=40),
    Application(
        "vkcube (X11)", "swapchain over DRI3 and Present", ("/usr/bin/vkcube", "--wsi", "xcb", "--c", "40"),
        place="xwayland", frame=20, releases=40),
    Application(
        "vkmark (Wayland)", "swapchain, benchmark scenes",
        ("/usr/bin/vkmark", "--winsys", "wayland", "-s", "256x192", "-b", "clear:duration=2:color=0.2,0.4,0.6,1"),
        frame=10, releases=10),
    Application(
        "mpv", "libplacebo, gpu-next", place="kwin", argv=mpv("--gpu-context=waylandvk", "--frames=6"),
        screen_argv=mpv("--gpu-context=waylandvk", "--pause"), releases=5),
    Application(
        "FFmpeg", "Vulkan filters on exportable images",
        ("/usr/bin/ffmpeg", "-loglevel", "warning", "-init_hw_device", "vulkan=gpu:0", "-filter_hw_device", "gpu",
         "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10", "-frames:v", "8", "-vf",
         "format=bgra,hwupload,avgblur_vulkan,hflip_vulkan,hwdownload,format=bgra", "-f", "framemd5", "{output}"),
        place="none", drivers=("venus", "lavapipe"), output=written_file),
    Application(
        "GTK 4", "GSK's Vulkan renderer", a_while(20, "/usr/bin/gtk4-demo", "--run=spinner"),
        environment={"GSK_RENDERER": "vulkan", "GDK_BACKEND": "wayland"}, screen_argv=("/usr/bin/gtk4-demo", "--run=links"), releases=2, ends_device=False),
    Application(
        "Qt Quick", "RHI on Vulkan", ("/usr/lib/qt6/bin/qml", str(HERE / "still.qml")),
        environment={"QSG_RHI_BACKEND": "vulkan", "QT_QPA_PLATFORM": "wayland"}, frame=5, releases=10),
    Application(
        "SDL 3", "SDL's own window and surface",
        a_while(10, "/usr/libexec/installed-tests/SDL3/testvulkan", "--geometry", "256x192"),
        environment={"SDL_VIDEODRIVER": "wayland"}, releases=20),
    Application(
        "zink (es2gears)", "OpenGL ES on Vulkan", a_while(10, "/usr/bin/es2gears_x11"), place="xwayland",
        environment={"MESA_LOADER_DRIVER_OVERRIDE": "zink", "LIBGL_ALWAYS_SOFTWARE": "1"}, releases=5,
        ends_device=False),
    # It forgets a signal that comes before its first frame: half a minute, with validation.
    Application(
        "DDNet", "a game with its data", a_while(50, "/usr/games/DDNet", "gfx_backend Vulkan;gfx_fullscreen 0"),
        environment={"SDL_VIDEODRIVER": "wayland"}, releases=10),
    Application(
        "waypipe", "imports its client's dma-bufs, hands the compositor its own",
        waypipe("/usr/bin/vkcube", "--wsi", "wayland", "--c", "20"), screen_argv=waypipe(
            "/usr/bin/env", "GSK_RENDERER=vulkan", "GDK_BACKEND=wayland", "/usr/bin/gtk4-demo", "--run=links")),
    Application(
        "vkd3d (gears)", "Direct3D 12 on Vulkan", a_while(10, "/usr/bin/vkd3d-gears"), place="xwayland",
        releases=5, ends_device=False),
    Application(
        "weston (Vulkan renderer)", "a compositor; headless, it takes its clients' pictures from shared memory",
        ("/bin/bash", str(HERE / "compositor_as_client.sh"), "{output}"), place="none",
        output=written_file),
)


def of_place(place, driver):
    return [one for one in ALL if one.place == place and driver in one.drivers]
