"""How far a run is, for the person who waits: on a terminal one line that changes, elsewhere a line now and then."""

import sys
import time

from .verdicts import BAD, kind_of


def span(seconds):
    """Seconds in the largest units that say enough: 42 s, 12 min, 3 h 05 min."""
    seconds = int(seconds)
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{(seconds + 30) // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


class Progress:
    """total: cases of the whole run; done: what earlier calls had done of it."""

    def __init__(self, total, done, stream=sys.stderr):
        self.total = total
        self.before = done
        self.done = done
        self.bad = 0
        self.stream = stream
        self.began = time.monotonic()
        self.is_terminal = stream.isatty()
        self.shown = self.began
        self.what = ""

    def say(self, text):
        """A line that stays."""
        if self.is_terminal:
            self.stream.write("\r\033[K")
        self.stream.write(f"vkcts: {text}\n")
        self.stream.flush()

    def part(self, group, side, todo):
        self.what = f"{group}, layer {side}"
        if not self.is_terminal:
            self.say(f"{self.what}: {todo} cases; {self.text()}")

    def case_done(self, event):
        self.cases_done(1)
        if kind_of(event.status) == BAD:
            self.bad += 1

    def cases_done(self, count):
        self.done += count

    def left(self):
        """Seconds until the end, if the rest takes as long as what this call has done; None: not known yet."""
        fresh = self.done - self.before
        elapsed = time.monotonic() - self.began
        if fresh == 0 or elapsed < 1:
            return None
        return max(0, self.total - self.done) * elapsed / fresh

    def text(self):
        left = self.left()
        share = 100 * self.done // self.total if self.total else 100
        bad = f", {self.bad} bad" if self.bad else ""
        return f"{self.done}/{self.total} ({share} %){bad}" + (f", about {span(left)} left" if left is not None else "")

    def show(self):
        now = time.monotonic()
        if now - self.shown < (0.5 if self.is_terminal else 30):
            return
        self.shown = now
        if self.is_terminal:
            self.stream.write(f"\r\033[Kvkcts: {self.text()}: {self.what}")
            self.stream.flush()
        else:
            self.say(f"{self.text()}: {self.what}")

    def end(self):
        if self.is_terminal:
            self.stream.write("\r\033[K")
            self.stream.flush()
