"""Photographs a display of the guest from outside it, on the guest's request.

The guest writes the display's device id (virtio or bochs) to /job/want-shot-NAME and finds
/job/shot-NAME.ppm once /job/done-shot-NAME exists; that one holds an error's text, or nothing.
"""

import json
import mmap
import pathlib
import socket
import struct
import time

from qemu_command import QMP_SOCKET

CAMERA = pathlib.Path("/tmp/virtio-display")
HEADER = struct.Struct("=IIII")


class Photographer:
    def __init__(self, job):
        self.job = job
        self.qmp = None

    def serve(self):
        for wish in self.job.glob("want-shot-*"):
            name = wish.name.removeprefix("want-shot-")
            device = wish.read_text().strip()
            if not device:
                continue  # made, but not yet written
            wish.unlink()
            error = self.photograph(device, self.job / f"shot-{name}.ppm")
            part = self.job / f"part-of-done-shot-{name}"
            part.write_text(error)
            part.rename(self.job / f"done-shot-{name}")

    def photograph(self, device, picture):
        """Returns an error's text, or nothing."""
        picture.unlink(missing_ok=True)
        try:
            reply = self.ask("screendump", device=device, filename=str(picture))
            error = reply.get("error", {}).get("desc", "")
            # QEMU's answer for a picture that it shows by GL: host-display-camera.c has it.
            if error == "no surface":
                error = read_camera(picture)
            return error
        except (OSError, ValueError) as problem:
            return f"no picture: {problem}"

    def ask(self, command, **arguments):
        if self.qmp is None:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(20)
            connection.connect(QMP_SOCKET)
            self.qmp = connection.makefile("rw")
            self.qmp.readline()
            self.send("qmp_capabilities", {})
        return self.send(command, arguments)

    def send(self, command, arguments):
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while True:
            reply = json.loads(self.qmp.readline())
            if "return" in reply or "error" in reply:
                return reply


def read_camera(picture):
    if not CAMERA.exists():
        return "no surface, and no picture has passed the camera yet"
    with CAMERA.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as memory:
        for _ in range(200):
            serial, width, height, _ = HEADER.unpack_from(memory)
            pixels = memory[HEADER.size:HEADER.size + width * height * 4]
            # The camera may have been at work: an odd serial, or another one after the copy.
            if serial and serial % 2 == 0 and HEADER.unpack_from(memory)[0] == serial:
                break
            time.sleep(0.005)
        else:
            return "the picture changes faster than it can be read"
    rgb = bytearray(width * height * 3)
    rgb[0::3], rgb[1::3], rgb[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
    picture.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + rgb)
    return ""
