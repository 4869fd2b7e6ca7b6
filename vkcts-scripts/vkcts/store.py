"""A result on disk: one folder for one side of a run.

    result.json       what was run, on what, and whether it is complete; replaced as a whole
    cases.jsonl       one line a case and run of it: case, group, status, detail, seconds, process, round
    processes.jsonl   one line a process that is over: its group, how it ended, the layer's evidence
    logs/             each process's files

Lines are appended by one write() each, so a kill leaves whole lines, and perhaps one torn at the end, which is
cut off when the folder is opened again. Cases of a process whose evidence has a problem do not count.
"""

import contextlib
import errno
import fcntl
import json
import os
import pathlib
import re

from .errors import InputError

FORMAT = 1


def write_atomically(path, text):
    """The file has either its old content or the new one, whatever happens."""
    path = pathlib.Path(path)
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")   # /dev/stdout: to be written to, never to be replaced
        return
    new = path.with_name(path.name + ".new")
    with open(new, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def write_json(path, value):
    write_atomically(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def read_json(path):
    """InputError where there is no such file, or it is not ours."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"{path} is no result: {error}") from error
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise InputError(f"{path} is no result of this version (format {FORMAT})")
    return value


class Lines:
    """A file of JSON lines that is only appended to."""

    def __init__(self, path):
        self.path = path
        self.values = []
        self._file = None

    def load(self):
        """What is there. InputError for a line in the middle that is not JSON."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        for number, line in enumerate(content[:content.rfind(b"\n") + 1].splitlines(), 1):
            try:
                self.values.append(json.loads(line))
            except ValueError as error:
                raise InputError(f"{self.path}:{number}: not a result's line: {error}") from error

    def open_for_more(self):
        self._file = open(self.path, "ab", buffering=0)
        whole = self.path.read_bytes().rfind(b"\n") + 1
        self._file.truncate(whole)

    def append(self, value):
        """OSError where it does not fit whole: nothing may be written behind a torn line."""
        line = json.dumps(value, sort_keys=True).encode() + b"\n"
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, "no room for a result", str(self.path))
        self.values.append(value)

    def sync(self):
        os.fsync(self._file.fileno())

    def close(self):
        if self._file is not None:
            self._file.close()


class Result:
    """One side's result. `Result.open()` to read it, `Result.go_on()` to add to it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.logs = self.folder / "logs"
        self.about = {}
        self._cases = Lines(self.folder / "cases.jsonl")
        self._processes = Lines(self.folder / "processes.jsonl")
        self._numbers = {}     # of the newest process, by the front of its name

    @classmethod
    def open(cls, folder):
        """InputError where the folder holds no result."""
        result = cls(folder)
        if not (result.folder / "result.json").is_file():
            raise InputError(f"no result in {folder}")
        result.about = read_json(result.folder / "result.json")
        result._cases.load()
        result._processes.load()
        return result

    @classmethod
    def go_on(cls, folder, about):
        """For adding: a new result, or the one that is there. The caller has seen to it that it is the same run."""
        result = cls(folder)
        result.logs.mkdir(parents=True, exist_ok=True)
        if (result.folder / "result.json").exists():
            result = cls.open(folder)
        else:
            result.about = {"format": FORMAT, "complete": False, **about}
            result.save()
        result._cases.open_for_more()
        result._processes.open_for_more()
        return result

    def save(self):
        write_json(self.folder / "result.json", self.about)

    def add_case(self, group, event, process, round_number=0):
        """round_number: 0 for the run itself, 1 and on for repetitions that tell flakes."""
        self._cases.append({"case": event.case, "group": group, "status": event.status, "detail": event.detail,
                            "seconds": event.seconds, "process": process, "round": round_number})

    def add_process(self, record):
        """After the process's last case. From here on nothing of it can be lost."""
        self._cases.sync()
        self._processes.append(record)
        self._processes.sync()

    def close(self):
        self._cases.close()
        self._processes.close()

    @property
    def processes(self):
        """{name: record} of the processes that are over."""
        return {record["process"]: record for record in self._processes.values}

    def cases(self, round_number=0):
        """{case: record} of a round, without those of processes that show nothing about the layer."""
        bad = {name for name, record in self.processes.items() if record["problem"]}
        return {record["case"]: record for record in self._cases.values
                if record["round"] == round_number and record["process"] not in bad}

    def rounds(self):
        """The numbers of the repetitions, without the run itself."""
        return sorted({record["round"] for record in self._cases.values} - {0})

    def new_process_name(self, slug):
        """A name that no process has had: what files it left is still to be read, or to be kept."""
        if slug not in self._numbers:
            names = [*self.processes, *(path.name for path in self.logs.glob(f"{slug}-*"))]
            found = (re.match(re.escape(slug) + r"-(\d+)(\.|$)", name) for name in names)
            self._numbers[slug] = max((int(match.group(1)) for match in found if match), default=0)
        self._numbers[slug] += 1
        return f"{slug}-{self._numbers[slug]}"


@contextlib.contextmanager
def only_one(folder):
    """Two runs in one folder would spoil it: InputError for the second."""
    folder = pathlib.Path(folder)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"another run is at work in {folder}") from None
        yield
