"""Python's unittest as one of the project's test programs: each case is an event in FENCEBRIDGE_RESULTS.

The format is that of results.cpp: a line of JSON at a case's start, one at its end, each by one write(). A case
with subtests fails if one of them does, and the note names the first. Exit status 77 where all were skipped.
"""

import json
import os
import sys
import unittest

SKIPPED = 77
LONGEST_NOTE = 2000


class Events:
    """The file of results; without FENCEBRIDGE_RESULTS nothing is written."""

    def __init__(self):
        path = os.environ.get("FENCEBRIDGE_RESULTS")
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644) if path else None

    def write(self, **event):
        if self.file is not None:
            os.write(self.file, json.dumps(event).encode() + b"\n")


def name_of(test):
    """Suite.Case, as GoogleTest has it: the class without Test in its name, the method without test_."""
    method = test.id().rsplit(".", 1)[-1].removeprefix("test_")
    return f"{type(test).__name__.removesuffix('Test')}.{method}"


class Result(unittest.TextTestResult):
    """Says each case's start and end."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.events = Events()
        self.ended = {}
        self.passed = 0

    def startTest(self, test):
        super().startTest(test)
        self.ended = {"status": "fail", "note": "it ended without a verdict"}
        self.events.write(event="start", name=name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        self.passed += self.ended["status"] == "pass"
        self.events.write(event="end", name=name_of(test), **self.ended)

    def _fail(self, error):
        if self.ended.get("failed"):
            return
        self.ended = {"status": "fail", "note": f"{error[0].__name__}: {error[1]}"[:LONGEST_NOTE], "failed": True}

    def _say(self, status, note=""):
        if not self.ended.get("failed"):
            self.ended = {"status": status, "note": note}

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say("pass")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self._fail(error)

    def addError(self, test, error):
        super().addError(test, error)
        if isinstance(test, unittest.TestCase):
            self._fail(error)
            return
        # A fixture of a class or module: none of its cases runs, so it is a case of its own.
        self.events.write(event="start", name=test.id())
        self.events.write(event="end", name=test.id(), status="fail", note=str(error[1])[:LONGEST_NOTE])

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self._fail(error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("skip", reason)

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        self._say("pass")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._say("fail", "it was expected to fail")


def main():
    """Runs the cases of the program that calls it; `PROGRAM Suite.case` runs one."""
    program = unittest.main(module="__main__", exit=False,
                            testRunner=unittest.TextTestRunner(verbosity=2, resultclass=Result))
    result = program.result
    if not result.testsRun:
        sys.exit("no case ran")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(0 if result.passed else SKIPPED)
