"""One process of deqp-vk, which runs a list of cases until its end, its death, or a case's time limit."""

import os
import time

from . import child
from .evidence import read_evidence
from .qpa import Begun, Ended, QpaReader, read_to_the_end, read_whole

ENDED = "ended"              # by itself, its log's session closed
DIED = "died"                # a crash, an abort, or an exit in the middle
TIMED_OUT = "timed out"      # ended by us: a case took too long
CUT_OFF = "cut off"          # ended by us or with us, for no fault of its own

# What every process is given, beside the person's own options.
OPTIONS = ("--deqp-log-images=disable", "--deqp-log-shader-sources=disable", "--deqp-log-flush=enable")


class Files:
    """The files of one process, in `folder`, by the process's name."""

    def __init__(self, folder, name):
        self.name = name
        self.cases = folder / f"{name}.cases.txt"
        self.qpa = folder / f"{name}.qpa"
        self.stdout = folder / f"{name}.stdout"
        self.raw_stderr = folder / f"{name}.stderr.raw"
        self.stderr = folder / f"{name}.stderr"
        self.shader_cache = folder / f"{name}.shadercache"

    def all(self):
        return [self.cases, self.qpa, self.stdout, self.raw_stderr, self.stderr, self.shader_cache]


def command_of(deqp_vk, options, files):
    """deqp_vk: the binary. options: the person's and the run's own."""
    return [str(deqp_vk), *OPTIONS, *options, f"--deqp-caselist-file={files.cases}",
            f"--deqp-log-filename={files.qpa}", f"--deqp-shadercache-filename={files.shader_cache}"]


def is_whole(log, status):
    """Whether a process ran to its end by itself. From 128 on a status is a shell's word for a signal."""
    return log.session_ended and log.open_case is None and 0 <= status < 128


def keep_stderr(files):
    """The evidence in a process's stderr. What is worth keeping stays in a file, the loader's talk does not."""
    try:
        with open(files.raw_stderr, encoding="utf-8", errors="replace") as raw:
            evidence, kept = read_evidence(raw)
    except FileNotFoundError:
        return read_evidence([])[0]
    files.stderr.write_text("".join(line + "\n" for line in kept))
    return evidence


class DeqpProcess:
    """A running deqp-vk. `poll()` again and again until `ending` is set."""

    def __init__(self, deqp_vk, options, environment, files, cases, limits):
        """cases: what it is to run. limits: (seconds a case may take, seconds until the first one must begin)."""
        self.files = files
        self.cases = cases
        self.case_limit, self.start_limit = limits
        self.ending = None
        self.detail = ""
        self.began = 0
        files.cases.write_text("".join(case + "\n" for case in cases))
        self.log = QpaReader(files.qpa)
        with open(files.stdout, "wb") as stdout, open(files.raw_stderr, "wb") as stderr:
            self.process = child.start(command_of(deqp_vk, options, files), environment=environment, stdout=stdout,
                                       stderr=stderr, folder=os.path.dirname(deqp_vk) or ".")
        self.moved_at = time.monotonic()

    @property
    def running_case(self):
        return self.log.open_case

    def poll(self):
        """The cases that have ended since the last call, as Ended. Sets `ending` when it is over."""
        status = self.process.poll()
        ended = self._take(self.log.read())
        now = time.monotonic()
        if status is not None:
            child.kill_group(self.process)   # what it may have left behind
            ended += self._take(read_to_the_end(self.log))
            self._over(ENDED if is_whole(self.log, status) else DIED, child.how_it_ended(status))
        elif now - self.moved_at > (self.case_limit if self.began else self.start_limit):
            child.kill_group(self.process)
            ended += self._take(read_to_the_end(self.log))
            limit = self.case_limit if self.began else self.start_limit
            what = "no end" if self.log.open_case else "no next case" if self.began else "no first case"
            self._over(TIMED_OUT, f"{what} within {limit:g} s")
        return ended

    def cut_off(self, why):
        """Ends it now. The cases that it had ended until then."""
        child.kill_group(self.process)
        ended = self._take(read_to_the_end(self.log))
        self._over(CUT_OFF, why)
        return ended

    def _take(self, events):
        ended = []
        for event in events:
            self.moved_at = time.monotonic()
            if isinstance(event, Begun):
                self.began += 1
            elif isinstance(event, Ended):
                ended.append(event)
        return ended

    def _over(self, ending, detail):
        self.ending = ending
        self.detail = detail
        self.log.close()


def left_behind(files):
    """(cases that had ended, session) in the log of a process that nobody stood by until its end."""
    if not files.qpa.exists():
        return [], {}
    reader, events = read_whole(files.qpa)
    return [event for event in events if isinstance(event, Ended)], reader.session
