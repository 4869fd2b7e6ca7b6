#!/usr/bin/env python3
"""screenshot.py COMPOSITOR FILE: what a compositor shows now, as a PNG file.

Each has a way of its own to give its pictures away. It is found by $WAYLAND_DISPLAY, or on the session bus by
$DBUS_SESSION_BUS_ADDRESS.
"""

import contextlib
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
import zlib

PATIENCE = 60  # seconds; the guest's processors are emulated


def sway(file):
    subprocess.run(["grim", file], check=True)


def weston(file):
    """Its tool makes a file of its own naming in its working directory."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["weston-screenshooter"], cwd=folder, check=True)
        [picture] = pathlib.Path(folder).iterdir()
        pathlib.Path(file).write_bytes(picture.read_bytes())


def kwin(file):
    """The answer says how the pixels lie that come through a pipe then."""
    bus = Bus("org.kde.KWin")
    reading, writing = os.pipe()
    [picture] = bus.call("/org/kde/KWin/ScreenShot2", "org.kde.KWin.ScreenShot2", "CaptureWorkspace", "(a{sv}h)",
                         {}, 0, descriptor=writing)
    os.close(writing)
    blue_first = (4, 5, 6)  # of QImage's formats
    if picture["format"] not in blue_first:
        sys.exit(f"kwin's picture is in QImage's format {picture['format']}")
    with open(reading, "rb") as pipe:
        write_png(file, picture["width"], picture["height"], picture["stride"], pipe.read())


def mutter(file):
    """One picture of a stream of PipeWire's. Its daemon is there for that time alone, without a session manager:
    the link between the stream and its reader is made here."""
    width, height = 640, 480
    with tempfile.TemporaryDirectory() as folder, started("pipewire", "--config", pipewire_configuration(folder)):
        wait_until(pathlib.Path(os.environ["XDG_RUNTIME_DIR"], "pipewire-0").exists)
        bus = Bus("org.gnome.Mutter.ScreenCast")
        [session] = bus.call("/org/gnome/Mutter/ScreenCast", bus.name, "CreateSession", "(a{sv})", {})
        [stream] = bus.call(session, bus.name + ".Session", "RecordMonitor", "(sa{sv})", "", {})
        added = bus.signal(stream, bus.name + ".Stream", "PipeWireStreamAdded")
        bus.call(session, bus.name + ".Session", "Start", "()")
        [node] = added()
        raw = pathlib.Path(folder, "raw")
        with started("gst-launch-1.0", "--quiet", "pipewiresrc", f"path={node}", "num-buffers=1", "!",
                     f"video/x-raw,format=BGRx,width={width},height={height}", "!",
                     "filesink", f"location={raw}") as reader:
            wait_until(lambda: not subprocess.call(["pw-link", "mutter:output_1", "gst-launch-1.0:input_1"]))
            if reader.wait(PATIENCE):
                sys.exit("gst-launch-1.0 has read no picture")
        # Before its daemon ends, which mutter would take for an error.
        bus.call(session, bus.name + ".Session", "Stop", "()")
        write_png(file, width, height, width * 4, raw.read_bytes())


def pipewire_configuration(folder):
    file = pathlib.Path(folder, "pipewire.conf")
    file.write_text("""
        context.properties = { core.daemon = true core.name = pipewire-0 support.dbus = false }
        context.spa-libs = { support.* = support/libspa-support }
        context.modules = [
            { name = libpipewire-module-protocol-native }
            { name = libpipewire-module-metadata }
            { name = libpipewire-module-client-node }
            { name = libpipewire-module-access }
            { name = libpipewire-module-link-factory }
        ]
    """)
    return str(file)


class Bus:
    """One name's objects on the session bus."""

    def __init__(self, name):
        # Not at the top: it takes an emulated processor seconds, and sway's and weston's tools need none of it.
        from gi.repository import Gio, GLib
        self.gio, self.glib = Gio, GLib
        self.connection = Gio.bus_get_sync(Gio.BusType.SESSION)
        # A compositor takes clients a moment before it takes its name.
        self.name = "org.freedesktop.DBus"
        wait_until(lambda: self.call("/org/freedesktop/DBus", self.name, "NameHasOwner", "(s)", name)[0])
        self.name = name

    def call(self, path, interface, method, signature, *arguments, descriptor=None):
        """Returns the answer's parts. An argument of the kind `h` is 0: `descriptor`, lent for the call."""
        descriptors = self.gio.UnixFDList()
        if descriptor is not None:
            descriptors.append(descriptor)
        answer, _ = self.connection.call_with_unix_fd_list_sync(
            self.name, path, interface, method, self.glib.Variant(signature, arguments), None,
            self.gio.DBusCallFlags.NONE, PATIENCE * 1000, descriptors)
        return answer.unpack()

    def signal(self, path, interface, signal):
        """Watches from now on; a call of what it returns waits for the signal and returns its parts."""
        loop = self.glib.MainLoop()
        parts = []

        def came(*event):
            parts.extend(event[-1].unpack())
            loop.quit()

        def wait():
            self.glib.timeout_add_seconds(PATIENCE, loop.quit)
            loop.run()
            return parts

        self.connection.signal_subscribe(self.name, interface, signal, path, None, self.gio.DBusSignalFlags.NONE, came)
        return wait


@contextlib.contextmanager
def started(*command):
    """A program that ends with the block."""
    program = subprocess.Popen(command)
    try:
        yield program
    finally:
        program.terminate()
        program.wait()


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("waited in vain")
        time.sleep(0.1)


def write_png(file, width, height, stride, pixels):
    """`pixels`: blue, green, red and a byte of no meaning each, `stride` bytes from row to row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = bytearray()
    for start in range(0, height * stride, stride):
        row = pixels[start:start + width * 4]
        rgb = bytearray(width * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows += b"\0" + rgb
    pathlib.Path(file).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
        chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b""))


def main():
    compositor, file = sys.argv[1:]
    {"sway": sway, "weston": weston, "kwin": kwin, "mutter": mutter}[compositor](file)


if __name__ == "__main__":
    main()
