"""What stands beside the window system groups: a compositor without a screen, an X server on it.

They are ours and nobody else's: sockets in a folder of their own, no window on the person's desktop. Their
Vulkan environment is without the layer, which is to be in deqp-vk alone.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from . import child
from .errors import InputError, RunError
from .groups import NO_SESSION, WAYLAND, X11

START_PATIENCE = 180.0   # seconds: an emulated machine compiles its first shaders for a long time
SOCKET = "vkcts-wayland"
COMPOSITORS = ("weston", "sway")
X_SERVERS = ("Xwayland", "Xvfb")
WITHOUT_DISPLAY = {"DISPLAY": None, "WAYLAND_DISPLAY": None}


class Session:
    """Nothing beside deqp-vk, and no display: also what the others are made of."""

    name = "no display"

    def __init__(self, logs=None):
        self.logs = logs
        self.environment = dict(WITHOUT_DISPLAY)
        self.programs = {}     # name: Popen, in the order of their start
        self.folder = None

    def start(self):
        return self

    def restart(self):
        self.stop()
        self.start()

    def stop(self):
        for process in reversed(self.programs.values()):
            child.stop(process)
        self.programs = {}
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def why_ended(self):
        """Which of its programs is gone, and how; None while all are there."""
        for name, process in self.programs.items():
            if process.poll() is not None:
                return f"{name} ended: {child.how_it_ended(process.returncode)}"
        return None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def _make_folder(self):
        # A socket's path has at most 107 bytes.
        parent = tempfile.gettempdir()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vkcts-", dir=parent if len(parent) < 70 else "/tmp"))

    def _environment(self, changes):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("DISPLAY", "WAYLAND_DISPLAY", "ENABLE_FENCEBRIDGE", "WAYLAND_SOCKET")}
        return {**environment, **changes}

    def _run(self, name, command, changes, pass_fds=()):
        with open(self.logs / f"session-{name}.log", "ab") as log:
            try:
                self.programs[name] = child.start(command, environment=self._environment(changes), stdout=log,
                                                  stderr=log, pass_fds=pass_fds)
            except OSError as error:
                self.stop()
                raise RunError(f"cannot start {name}: {error.strerror}") from error

    def _wait(self, name, is_there):
        deadline = time.monotonic() + START_PATIENCE
        while not is_there():
            gone = self.programs[name].poll() is not None
            if gone or time.monotonic() > deadline:
                self.stop()
                raise RunError(f"{name} {'has ended' if gone else 'does not come up'}: "
                               f"see {self.logs / f'session-{name}.log'}")
            time.sleep(0.05)


def weston_version():
    """(major, minor) of the weston that is installed."""
    try:
        said = subprocess.run(["weston", "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        said = ""
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found.group(1)), int(found.group(2))) if found else (0, 0)


class Wayland(Session):
    """A compositor of `weston` or `sway`. extent: of its screen, in pixels."""

    def __init__(self, compositor, logs, extent=(1280, 1024)):
        super().__init__(logs)
        self.name = self.compositor = compositor
        self.extent = extent

    def start(self):
        self._make_folder()
        runtime = {"XDG_RUNTIME_DIR": str(self.folder)}
        command, changes = self._sway() if self.compositor == "sway" else (self._weston(), {})
        self._run(self.compositor, command, {**runtime, **changes})
        self._wait(self.compositor, (self.folder / SOCKET).exists)
        self.environment = {**WITHOUT_DISPLAY, **runtime, "WAYLAND_DISPLAY": SOCKET}
        return self

    def _weston(self):
        width, height = self.extent
        command = ["weston", "--no-config", f"--socket={SOCKET}", f"--width={width}", f"--height={height}",
                   "--idle-time=0"]
        if weston_version() < (12, 0):
            return [*command, "--backend=headless-backend.so", "--use-gl"]
        # Without a seat, the kiosk was seen to crash when a window had gone.
        return [*command, "--backend=headless", "--renderer=gl", "--shell=kiosk-shell.so", "--fake-seat"]

    def _sway(self):
        width, height = self.extent
        configuration = self.folder / "sway.config"
        # sway chooses its socket's name itself, and tells its children.
        configuration.write_text(f"output HEADLESS-1 resolution {width}x{height}\n"
                                 "xwayland disable\ndefault_border none\n"
                                 'for_window [app_id=".*"] floating enable\n'
                                 f"exec ln -sf $WAYLAND_DISPLAY $XDG_RUNTIME_DIR/{SOCKET}\n")
        return ["sway", "--config", str(configuration)], {"WLR_BACKENDS": "headless", "WLR_LIBINPUT_NO_DEVICES": "1"}


class XServer(Session):
    """Xvfb, or Xwayland with a window of its own on a compositor. It takes the first display that is free."""

    def __init__(self, server, compositor, logs):
        super().__init__(logs)
        self.server = server
        self.below = Wayland(compositor, logs) if server == "Xwayland" else Session(logs)
        self.name = f"Xwayland on {compositor}" if server == "Xwayland" else server

    def start(self):
        self.below.start()
        self._make_folder()
        reading, writing = os.pipe()
        try:
            changes = {name: value for name, value in self.below.environment.items() if value is not None}
            command = [self.server, "-displayfd", str(writing), "-noreset", "-nolisten", "tcp"]
            if self.server == "Xvfb":
                command += ["-screen", "0", "1280x1024x24"]
            self._run(self.server, command, changes, pass_fds=(writing,))
            os.close(writing)
            writing = None
            os.set_blocking(reading, False)
            said = bytearray()
            self._wait(self.server, lambda: self._display(reading, said))
        finally:
            os.close(reading)
            if writing is not None:
                os.close(writing)
        self.environment = {**WITHOUT_DISPLAY, "DISPLAY": f":{int(said)}"}
        return self

    @staticmethod
    def _display(reading, said):
        try:
            said += os.read(reading, 64)
        except BlockingIOError:
            pass
        return said.endswith(b"\n")

    def why_ended(self):
        return super().why_ended() or self.below.why_ended()

    def stop(self):
        super().stop()
        self.below.stop()


def _choose(wanted, known, what):
    """The program to use. InputError where the one that is asked for is not installed; None where none is."""
    if wanted is not None:
        if wanted not in known:
            raise InputError(f"no {what} {wanted}: {' or '.join(known)}")
        if shutil.which(wanted) is None:
            raise InputError(f"{wanted} is not installed")
        return wanted
    return next((name for name in known if shutil.which(name)), None)


class Sessions:
    """Which sessions can be had here. compositor, x_server: a program's name, or None for what there is."""

    def __init__(self, compositor=None, x_server=None):
        self.compositor = _choose(compositor, COMPOSITORS, "compositor")
        self.x_server = _choose(x_server, X_SERVERS, "X server")
        if self.x_server == "Xwayland" and self.compositor is None:
            if x_server is not None:
                raise InputError(f"Xwayland needs a compositor, and none of {', '.join(COMPOSITORS)} is installed")
            self.x_server = "Xvfb" if shutil.which("Xvfb") else None

    def missing(self, kind):
        """What a kind of session lacks here, in words; None: nothing."""
        if kind == WAYLAND and self.compositor is None:
            return f"needs a compositor: none of {', '.join(COMPOSITORS)} is installed"
        if kind == X11 and self.x_server is None:
            return "needs an X server: neither Xvfb nor Xwayland with weston or sway is installed"
        return None

    def make(self, kind, logs):
        if kind == NO_SESSION:
            return Session(logs)
        if kind == WAYLAND:
            return Wayland(self.compositor, logs)
        return XServer(self.x_server, self.compositor, logs)

    def names(self):
        """What a result says of them."""
        return {"compositor": self.compositor, "x_server": self.x_server}
