"""Our own runner of case lists: batches in processes side by side; a crash or a hang costs the case that it hit.

What a process leaves unfinished goes to another one. A process that dies before it has begun any case is tried
once more; then the first of its cases counts as crashed, and the others go on. Where that happens three times
running, deqp-vk does not work here at all, and the run stops.
"""

import dataclasses
import time
import typing

from . import deqp_process, evidence as evidence_of
from .deqp_process import DeqpProcess, Files
from .errors import RunError
from .qpa import Ended
from .verdicts import BAD, kind_of

POLL = 0.02
DEAD_STARTS_OF_A_CASE = 2
DEAD_CASES_RUNNING = 3
SESSIONS_LOST = 3


@dataclasses.dataclass
class How:
    """How processes are run. environment: of a session's variables, the whole environment of a process."""

    deqp_vk: str
    options: list
    environment: typing.Callable
    case_limit: float       # seconds
    start_limit: float      # seconds
    jobs: int = 1
    batch: int = 500
    keep_logs: bool = False


def last_words(files):
    """The last line that a process said, for an error's text."""
    for path in (files.stderr, files.stdout):
        if path.exists():
            lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
            if lines:
                return lines[-1][:200]
    return "nothing"


def record_process(result, side, group, process, ending, detail, cases, blamed=None, keep_logs=False):
    """Puts a process that is over into the result, with its evidence; then its files may go.

    cases: what it ended, as Ended. blamed: the case that its end is put down to.
    RunError where the evidence has a problem: the process's cases do not count.
    """
    found = deqp_process.keep_stderr(process)
    problem = evidence_of.problem(found, side, ending == deqp_process.ENDED)
    result.add_process({"process": process.name, "group": group, "ending": ending, "detail": detail,
                        "blamed": blamed, "evidence": found, "problem": problem})
    has_bad = any(kind_of(case.status) == BAD for case in cases) or (
        ending != deqp_process.ENDED and blamed is None)
    for path in process.all():
        is_log = path in (process.qpa, process.stdout) and (has_bad or keep_logs or problem is not None)
        if path != process.stderr and not is_log:
            path.unlink(missing_ok=True)
    if problem is not None:
        raise RunError(f"side {side}, {process.name}: {problem}")


class OwnRunner:
    """Runs cases of one group on one side, and records them as they end."""

    def __init__(self, result, side, group, how, session, progress, round_number=0):
        self.result = result
        self.side = side
        self.group = group
        self.how = how
        self.session = session
        self.progress = progress
        self.round_number = round_number
        self.slug = group.slug + (f"-r{round_number}" if round_number else "")
        self.running = []
        self.ended = {}           # process name: its Ended
        self.blamed = {}          # process name: the case that its end is put down to
        self.dead_starts = {}
        self.dead_running = 0
        self.sessions_lost = 0

    def run(self, cases):
        queue = self._batches(list(cases))
        try:
            while queue or self.running:
                while queue and len(self.running) < self.how.jobs:
                    self._start(queue.pop(0))
                self._look(queue)
                self.progress.show()
                time.sleep(POLL)
        finally:
            # By now this is an error or an interruption: what had ended is kept.
            for process in self.running:
                self._record(process, process.cut_off("the run was interrupted"))
                self._finish(process)

    def _batches(self, cases):
        size = max(1, min(self.how.batch, -(-len(cases) // self.how.jobs)))
        return [cases[at:at + size] for at in range(0, len(cases), size)]

    def _start(self, cases):
        files = Files(self.result.logs, self.result.new_process_name(self.slug))
        try:
            process = DeqpProcess(self.how.deqp_vk, self.how.options, self.how.environment(self.session.environment),
                                  files, cases, (self.how.case_limit, self.how.start_limit))
        except OSError as error:
            raise RunError(f"cannot start {self.how.deqp_vk}: {error.strerror}") from error
        self.ended[files.name] = []
        self.running.append(process)

    def _look(self, queue):
        lost = self.session.why_ended()
        for process in list(self.running):
            ended = process.poll()
            if lost and process.ending is None:
                ended += process.cut_off(lost)
            self._record(process, ended)
            if process.ending is not None:
                self.running.remove(process)
                left = self._judge(process, lost)
                self._finish(process)
                if left:
                    queue.insert(0, left)
        if lost:
            self.sessions_lost += 1
            if self.sessions_lost >= SESSIONS_LOST:
                raise RunError(f"{self.group.name}: {lost}, for the {SESSIONS_LOST}rd time")
            self.session.restart()

    def _record(self, process, ended):
        for event in ended:
            self.ended[process.files.name].append(event)
            self.result.add_case(self.group.name, event, process.files.name, self.round_number)
            self.progress.case_done(event)

    def _judge(self, process, lost):
        """The verdicts that the log does not have. What is left to be run."""
        hit = process.running_case
        done = {event.case for event in self.ended[process.files.name]}
        left = [case for case in process.cases if case not in done]
        if process.ending == deqp_process.ENDED:
            for case in left:
                self._record(process, [Ended(case, "Missing", "deqp-vk ended without having run it", None)])
            self.dead_running = 0
            return []
        if hit is None and not process.began and left and not lost:
            return self._dead_start(process, left)
        self.dead_running = 0
        last = self.ended[process.files.name][-1:]
        if hit is None and last and kind_of(last[0].status) == BAD:
            self.blamed[process.files.name] = last[0].case   # a lost device ends the process behind its case
        if hit is not None:
            self.blamed[process.files.name] = hit
            status = "Timeout" if process.ending == deqp_process.TIMED_OUT else "Crash"
            self._record(process, [Ended(hit, status, process.detail, None)])
        return [case for case in left if case != hit]

    def _dead_start(self, process, left):
        first = left[0]
        self.blamed[process.files.name] = first
        self.dead_starts[first] = self.dead_starts.get(first, 0) + 1
        if self.dead_starts[first] < DEAD_STARTS_OF_A_CASE:
            return left
        self.dead_running += 1
        if self.dead_running >= DEAD_CASES_RUNNING:
            deqp_process.keep_stderr(process.files)
            raise RunError(f"deqp-vk never begins a case ({process.detail}); it said: {last_words(process.files)}")
        status = "Timeout" if process.ending == deqp_process.TIMED_OUT else "Crash"
        self._record(process, [Ended(first, status, f"twice before it began: {process.detail}", None)])
        return left[1:]

    def _finish(self, process):
        record_process(self.result, self.side, self.group.name, process.files, process.ending, process.detail,
                       self.ended[process.files.name], self.blamed.get(process.files.name), self.how.keep_logs)


def take_in_what_was_left(result, side, groups):
    """Records what processes of an interrupted call had done: all but the cases that were running."""
    by_slug = {group.slug: group for group in groups}
    for path in sorted(result.logs.glob("*.cases.txt")):
        files = Files(result.logs, path.name.removesuffix(".cases.txt"))
        if files.name in result.processes:
            path.unlink()
            continue
        front, _, _ = files.name.rpartition("-")
        slug, _, repetition = front.rpartition("-r")
        round_number = int(repetition) if slug in by_slug and repetition.isdigit() else 0
        group = by_slug.get(slug if round_number else front)
        if group is None:
            for leftover in files.all():
                leftover.unlink(missing_ok=True)
            continue
        ended, _ = deqp_process.left_behind(files)
        known = result.cases(round_number)
        for event in ended:
            if event.case not in known:
                result.add_case(group.name, event, files.name, round_number)
        record_process(result, side, group.name, files, deqp_process.CUT_OFF, "the run was ended", ended)
