"""Mesa's deqp-runner instead of our own runner, where it is installed.

One call a group and side. A call that is interrupted is made again from its start: deqp-runner keeps nothing.
"""

import csv
import json
import pathlib
import shutil
import subprocess
import time

from . import child, deqp_process, evidence as evidence_of
from .deqp_process import CUT_OFF, DIED, ENDED, OPTIONS, Files
from .errors import RunError
from .qpa import Ended
from .verdicts import KINDS

PROGRAM = "deqp-runner"
RECORDER = pathlib.Path(__file__).resolve().parent / "recorded_deqp.py"
STATUSES = {"Skip": "NotSupported", "Warn": "QualityWarning", "KnownFlake": "Flake"}
POLL = 0.1


def installed():
    """Its path, or None. A program of the same name and another command line does not count."""
    path = shutil.which(PROGRAM)
    if path is None:
        return None
    try:
        help_text = subprocess.run([path, "run", "--help"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if help_text.returncode == 0 and "--caselist" in help_text.stdout else None


def read_results(path):
    """Its results.csv: an Ended for each line of case, status and perhaps seconds. RunError for another content."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row and not row[0].startswith("#")]
    except OSError as error:
        raise RunError(f"deqp-runner left no results: {path}: {error.strerror}") from error
    ended = []
    for row in rows:
        status = STATUSES.get(row[1], row[1]) if len(row) > 1 else None
        if status not in KINDS:
            raise RunError(f"{path}: not a line of deqp-runner's results: {','.join(row)[:100]}")
        try:
            seconds = float(row[2]) if len(row) > 2 else None
        except ValueError:
            seconds = None
        ended.append(Ended(row[0], status, "" if status == row[1] else f"deqp-runner: {row[1]}", seconds))
    return ended


class DeqpRunner:
    """The same words as OwnRunner."""

    def __init__(self, result, side, group, how, session, progress, program):
        self.result = result
        self.side = side
        self.group = group
        self.how = how
        self.session = session
        self.progress = progress
        self.program = program
        self.counted = 0

    def run(self, cases):
        files = Files(self.result.logs, self.result.new_process_name(self.group.slug))
        folder = self.result.logs / f"{files.name}.deqp-runner"
        records = folder / "processes"
        shutil.rmtree(folder, ignore_errors=True)
        records.mkdir(parents=True)
        list_file = folder / "cases.txt"
        list_file.write_text("".join(case + "\n" for case in cases))
        environment = {**self.how.environment(self.session.environment), "VKCTS_RECORDS": str(records),
                       "VKCTS_DEQP_VK": str(self.how.deqp_vk)}
        command = [self.program, "run", "--deqp", str(RECORDER), "--caselist", str(list_file), "--output",
                   str(folder / "output"), "--jobs", str(self.how.jobs), "--timeout", f"{self.how.case_limit:g}",
                   "--", *OPTIONS, *self.how.options]
        with open(files.stdout, "wb") as said:
            process = child.start(command, environment=environment, stdout=said, stderr=subprocess.STDOUT)
        try:
            self._stand_by(process, records)
        finally:
            child.kill_group(process)
        self._take(files, folder, records, cases, child.how_it_ended(process.returncode))

    def _stand_by(self, process, records):
        while process.poll() is None:
            lost = self.session.why_ended()
            if lost:
                raise RunError(f"{self.group.name}: {lost}; --runner own goes on after that")
            done = sum(json.loads(path.read_text())["cases"] for path in records.glob("*.json"))
            self.progress.cases_done(max(0, done - self.counted))
            self.counted = max(done, self.counted)
            self.progress.show()
            time.sleep(POLL)

    def _take(self, files, folder, records, cases, ending):
        """deqp-runner's verdicts, and the evidence of all its processes together."""
        ended = {event.case: event for event in read_results(folder / "output" / "results.csv")}
        for case in cases:
            event = ended.get(case) or Ended(case, "Missing", f"not in deqp-runner's results ({ending})", None)
            self.result.add_case(self.group.name, event, files.name)
        self.progress.cases_done(len(cases) - self.counted)

        total, problem, kept = evidence_of.empty(), None, []
        for raw in sorted(records.glob("*.stderr.raw")):
            process = Files(records, raw.name.removesuffix(".stderr.raw"))
            found = deqp_process.keep_stderr(process)
            kept.append(process.stderr.read_text())
            end = records / f"{process.name}.json"
            how = json.loads(end.read_text())["ending"] if end.exists() else CUT_OFF
            problem = problem or evidence_of.problem(found, self.side, how == ENDED)
            total = evidence_of.add(total, found)
        if not kept:
            problem = f"deqp-runner started no deqp-vk ({ending})"
        files.stderr.write_text("".join(kept))
        shutil.rmtree(records)
        self.result.add_process({"process": files.name, "group": self.group.name,
                                 "ending": ENDED if problem is None else DIED, "detail": f"deqp-runner: {ending}",
                                 "blamed": None, "evidence": total, "problem": problem})
        if problem is not None:
            raise RunError(f"side {self.side}, {files.name}: {problem}")
