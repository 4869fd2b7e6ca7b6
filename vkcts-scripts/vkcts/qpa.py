"""deqp-vk's test log (.qpa), read while it grows.

Its frame is lines that begin with '#'; what lies between them is the case's XML, of which only the verdict and
the duration matter. A log may stop anywhere: in the middle of a line, of a case, or of a character.
"""

import dataclasses
import errno
import html
import os
import re
import time

from .verdicts import KINDS

RESULT = re.compile(rb'<Result StatusCode="([A-Za-z]+)">(.*)', re.DOTALL)
DURATION = re.compile(rb'<Number Name="TestDuration"[^>]*>(\d+)</Number>')
LONGEST_DETAIL = 500
MOST_TRIES = 100
PIECE = 1 << 20


@dataclasses.dataclass
class Begun:
    """A case begins."""

    case: str


@dataclasses.dataclass
class Ended:
    """A case has its verdict. seconds: as deqp-vk measured it, None where it did not say."""

    case: str
    status: str
    detail: str
    seconds: float | None


class QpaReader:
    """Follows one log file. `read()` gives what is new as events; the rest are what is known so far."""

    def __init__(self, path):
        self.path = path
        self.session = {}         # sessionInfo: deviceName, vendorID, deviceID, releaseName, ...
        self.session_ended = False
        self.open_case = None     # begun, and not ended
        self.lines_of_open_case = []
        self.must_read_again = False
        self._file = None
        self._partial = b""

    def read(self):
        """The events since the last call. A file that is not there yet has none."""
        if self._file is None:
            try:
                self._file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return []
        pieces = (self._partial + self._read_on()).split(b"\n")
        self._partial = pieces.pop()
        return [event for line in pieces for event in self._line(line.rstrip(b"\r"))]

    def close(self):
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _read_on(self):
        data = bytearray()
        self.must_read_again = False
        try:
            while piece := os.read(self._file, PIECE):
                data += piece
        except OSError as error:
            # 9p was seen to say this of a file that grows in that moment; a moment later it can be read.
            if error.errno != errno.ENODATA:
                raise
            self.must_read_again = True
        return bytes(data)

    def _line(self, line):
        if not line.startswith(b"#"):
            if self.open_case is not None:
                self.lines_of_open_case.append(line)
            return
        word, _, rest = line.decode(errors="replace").partition(" ")
        if word == "#beginTestCaseResult":
            if self.open_case is not None:
                yield self._end("InternalError", "the next case began before its end")
            self.open_case = rest.strip()
            yield Begun(self.open_case)
        elif word == "#endTestCaseResult" and self.open_case is not None:
            yield self._end(*self._verdict())
        elif word == "#terminateTestCaseResult" and self.open_case is not None:
            reason = rest.strip()
            yield self._end(reason if reason in KINDS else "Crash", f"terminated by deqp-vk: {reason}")
        elif word == "#sessionInfo":
            name, _, value = rest.partition(" ")
            self.session[name] = value.strip().strip('"')
        elif word == "#endSession":
            self.session_ended = True
        elif self.open_case is not None:
            self.lines_of_open_case.append(line)

    def _end(self, status, detail):
        duration = None
        for line in self.lines_of_open_case:
            if found := DURATION.search(line):
                duration = int(found.group(1)) / 1e6
        event = Ended(self.open_case, status, detail, duration)
        self.open_case = None
        self.lines_of_open_case = []
        return event

    def _verdict(self):
        found = RESULT.search(b"\n".join(self.lines_of_open_case))
        if not found:
            return "InternalError", "its log has no verdict"
        status = found.group(1).decode()
        detail = found.group(2).split(b"</Result>")[0].decode(errors="replace")
        detail = " ".join(html.unescape(detail).split())
        if status not in KINDS:
            return "InternalError", f"a verdict that is not known: {status} {detail}"[:LONGEST_DETAIL]
        return status, detail[:LONGEST_DETAIL]


def read_to_the_end(reader):
    """The events that are left in a log that has its end. OSError where it cannot be read."""
    events = reader.read()
    for _ in range(MOST_TRIES):
        if not reader.must_read_again:
            return events
        time.sleep(0.05)
        events += reader.read()
    raise OSError(errno.EIO, "cannot be read to its end", str(reader.path))


def read_whole(path):
    """(reader, events) of a log that nobody writes any more."""
    reader = QpaReader(path)
    try:
        return reader, read_to_the_end(reader)
    finally:
        reader.close()
