"""What is known of a driver, in deqp-runner's formats.

    DRIVER-fails.txt    case,Status     a verdict that is no news
    DRIVER-skips.txt    a regular expression a line: cases that are left out
    DRIVER-flakes.txt   a regular expression a line: cases whose verdict says nothing

Empty lines and lines that begin with # are none. A regular expression may match anywhere in a case's name.
"""

import dataclasses
import pathlib
import re

from .errors import InputError
from .verdicts import KINDS


@dataclasses.dataclass
class Expectations:
    """fails: {case: status}; skips, flakes: compiled patterns."""

    fails: dict = dataclasses.field(default_factory=dict)
    skips: list = dataclasses.field(default_factory=list)
    flakes: list = dataclasses.field(default_factory=list)

    def is_skipped(self, case):
        return any(pattern.search(case) for pattern in self.skips)

    def is_flake(self, case):
        return any(pattern.search(case) for pattern in self.flakes)


def _lines(path):
    """(number, line) of what says something."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def read_fails(path):
    """{case: status}. InputError for a line that is not `case,Status`."""
    fails = {}
    for number, line in _lines(path):
        case, comma, status = line.rpartition(",")
        if not comma or not case or status not in KINDS:
            raise InputError(f"{path}:{number}: not `case,Status`: {line[:80]}")
        fails[case] = status
    return fails


def read_patterns(path):
    """Compiled patterns. InputError for one that is no regular expression."""
    patterns = []
    for number, line in _lines(path):
        try:
            patterns.append(re.compile(line))
        except re.error as error:
            raise InputError(f"{path}:{number}: not a regular expression: {error}") from error
    return patterns


def read_expectations(folder, driver, fails=(), skips=(), flakes=()):
    """Of a folder of drivers (`driver` names one; None: no folder), and of single files beside it."""
    fails, skips, flakes = list(fails), list(skips), list(flakes)
    if folder is not None:
        found = 0
        for part, files in (("fails", fails), ("skips", skips), ("flakes", flakes)):
            path = pathlib.Path(folder) / f"{driver}-{part}.txt"
            if path.exists():
                files.append(path)
                found += 1
        if not found:
            raise InputError(f"nothing about the driver {driver} in {folder}: no {driver}-fails.txt, "
                             f"{driver}-skips.txt or {driver}-flakes.txt")
    known = Expectations()
    for path in fails:
        known.fails.update(read_fails(path))
    for path in skips:
        known.skips += read_patterns(path)
    for path in flakes:
        known.flakes += read_patterns(path)
    return known
