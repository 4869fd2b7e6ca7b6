"""Photographs a display of the guest from outside it, on the guest's request.

The guest writes the display's device id (virtio or bochs) to /job/want-shot-NAME and finds
/job/shot-NAME.ppm once /job/done-shot-NAME exists; that file holds an error's text, or nothing.
"""

import json
import socket

from qemu_command import QMP_SOCKET


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
            part = self.job / f"done-shot-{name}.part"
            part.write_text(error)
            part.rename(self.job / f"done-shot-{name}")

    def photograph(self, device, picture):
        try:
            reply = self.ask("screendump", device=device, filename=str(picture))
        except (OSError, ValueError) as error:
            return f"QMP: {error}"
        return reply.get("error", {}).get("desc", "")

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
